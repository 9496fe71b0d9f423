"""DIMMs beside a guest's RAM: files, addresses, options."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from multifd.memory.blocks import GUESTS
from multifd.qemu.dimms import addresses, file_of, plugged
from multifd.qemu.guest import Machine, start
from tests.qemu.host import QEMU, needs_qemu

WITHIN = 20.0


def test_dimms_lie_one_after_the_other_behind_four_gigabytes() -> None:
    assert addresses({"one": 4096, "two": 12288}) == {"one": 4 << 30, "two": (4 << 30) + 4096}


def test_every_block_has_a_file_beside_the_machines() -> None:
    ram = Path("/scratch/source.ram")

    assert [file_of(ram, block) for block in ("m", "dimm1")] == [ram, Path("/scratch/source-dimm1.ram")]


def test_a_guest_without_dimms_needs_no_option() -> None:
    assert plugged({}, Path("source.ram"), 4 << 20) == ()


def test_a_machine_knows_its_blocks_by_their_sizes() -> None:
    machine = Machine.of("pc-i440fx-7.2", Path("/scratch/a.ram"), {"m": 1 << 20, "dimm1": 4096})

    assert (machine.size, dict(machine.dimms)) == (1 << 20, {"dimm1": 4096})
    assert machine.files == {"m": Path("/scratch/a.ram"), "dimm1": Path("/scratch/a-dimm1.ram")}
    assert [machine.address(block) for block in machine.sizes] == [0, 4 << 30]


@needs_qemu
def test_qemu_has_them_where_they_are_said_to_be(scratch: Path) -> None:
    machine = Machine.of("pc", scratch / "a,b.ram", GUESTS["small-dimms"].sizes(4 << 20))

    async def ask() -> Any:
        async with start(QEMU, "guest", scratch, machine.arguments(), WITHIN) as guest:
            return await guest.execute("query-memory-devices", WITHIN)

    found = {each["data"]["memdev"].rpartition("/")[2]: each["data"] for each in asyncio.run(ask())}

    assert {name: (dimm["addr"], dimm["size"]) for name, dimm in found.items()} == {
        name: (machine.address(name), size) for name, size in machine.dimms.items()
    }
    assert {file.stat().st_size for file in machine.files.values()} == {4 << 20, 4096, 12288}
