"""The guest that runs: its pattern, and what breaks it. That it runs at all, real QEMUs show."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from multifd.qemu.facts import common_machine
from multifd.qemu.firmware import END, FIRST, PAGE, PAGES, broken, counts, image
from multifd.qemu.guest import Machine, start
from tests.qemu.host import QEMU, facts, needs_qemu

WITHIN = 20.0
SIZE = 4 << 20


def test_it_begins_where_a_cpu_does() -> None:
    assert (len(image()), image()[-16:-11].hex()) == (1 << 16, "eac0ff00f0")


def test_counts_are_the_first_bytes_of_its_pages(tmp_path: Path) -> None:
    memory = bytearray(SIZE)
    memory[FIRST], memory[END - PAGE], memory[END], memory[FIRST + 1] = 7, 9, 1, 1
    (tmp_path / "ram").write_bytes(memory)

    assert counts(tmp_path / "ram") == bytes([7, *[0] * (len(PAGES) - 2), 9])


@pytest.mark.parametrize("seen", [b"\4\4\4\4", b"\4\4\3\3", b"\0\0\xff\xff", b"\4\3"])
def test_it_stands_still_anywhere(seen: bytes) -> None:
    assert broken(seen) is None


@pytest.mark.parametrize("seen", [b"\4\4\5\5", b"\4\4\2\2", b"\4\3\2", b"\4\3\4"])
def test_a_page_of_another_time_breaks_the_pattern(seen: bytes) -> None:
    assert "expected one step of 1 at most" in (broken(seen) or "")


@needs_qemu
def test_a_real_qemu_counts(tmp_path: Path) -> None:
    ram, bios = tmp_path / "ram", tmp_path / "bios"
    ram.write_bytes(bytes(SIZE))
    bios.write_bytes(image())
    machine = Machine(common_machine(facts(QEMU)) or "pc", ram, SIZE)

    async def run() -> bytes:
        async with start(QEMU, "q", tmp_path, (*machine.arguments(), "-bios", str(bios)), WITHIN) as guest:
            await guest.execute("cont", WITHIN)
            while not any(counts(ram)):
                await asyncio.sleep(0.01)
            await guest.execute("stop", WITHIN)
            return counts(ram)

    assert broken(asyncio.run(run())) is None
