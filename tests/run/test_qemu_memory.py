"""What is in a real QEMU's guest, how it is divided and how it changes; and that what is lost of it is seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.codec import create
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.lineup.qemus import resolve_qemus
from multifd.memory.blocks import GUESTS
from multifd.migrate import splice as splicing
from multifd.migrate.address import listen
from multifd.migrate.splice import Side, Splice, Splicing
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import qemu_cell
from multifd.profile.model import PeerEntry, Profile
from multifd.qemu.dimms import file_of
from multifd.qemu.guest import Guest
from multifd.qemu.migration import Course, watch
from multifd.result.known import shipped
from multifd.result.record import Cell
from multifd.run.bench import Bench
from multifd.run.qemu import bench as running
from multifd.run.qemu.recording import Recording
from multifd.run.stage import Stage
from multifd.wire.channel import Packet
from tests.qemu.host import BINARIES, facts, needs_qemu

pytestmark = needs_qemu
WITHIN: Final = 20.0
PAGE: Final = 4096
NEW: Final = [binary for binary in BINARIES if facts(binary).zero_pages]
"""Those that put zero pages into packets."""


class Lab:
    """One QEMU that puts zero pages into packets if there is one, a receiver of ours, and a bench."""

    def __init__(self, scratch: Path) -> None:
        ours = resolve("one", Profile(description="one", peers=(PeerEntry(codec="zlib"),)), None)
        self.line_up: LineUp = ours.model_copy(update={"qemus": resolve_qemus((NEW or BINARIES)[:1], WITHIN)})
        (self.qemu,) = self.line_up.qemus
        self.scratch = scratch
        self.bench = Bench(self.line_up, Stage(scratch, "main", 1, None))

    def cell(self, scenario: str, **special: Any) -> PlannedCell:
        """QEMU to itself with zlib."""
        return qemu_cell(self.qemu, self.qemu, "zlib", "zlib", scenario=scenario, **special)

    def to_ours(self, scenario: str, **special: Any) -> PlannedCell:
        """QEMU to our receiver."""
        return qemu_cell(self.qemu, self.line_up.peer("zlib"), "zlib", "zlib", scenario=scenario, **special)

    def run(self, cell: PlannedCell) -> Cell:
        """Run and conclude it, as a run does."""
        return concluded(cell, self.bench.run(cell.pairing), Options(), shipped())


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Lab(Path(directory))
        with closing(lab.bench):
            yield lab


@pytest.mark.parametrize("blocks", GUESTS)
def test_a_guest_of_every_division_arrives(blocks: str, lab: Lab) -> None:
    record = lab.run(lab.cell("half-zero", blocks=blocks))

    assert (record.verdict, record.observed) == ("pass", "identical"), record.reason


def test_a_guest_with_dimms_arrives_at_our_receiver_with_the_tables_that_name_them(lab: Lab) -> None:
    record = lab.run(lab.to_ours("quarter", blocks="dimms"))

    assert (record.verdict, record.observed) == ("pass", "identical"), record.reason


@pytest.mark.parametrize("scenario", ["one-page", "packet-and-one", "three-rounds"])
def test_a_guest_arrives_however_much_of_it_changes(scenario: str, lab: Lab) -> None:
    record = lab.run(lab.cell(scenario, corpus="text"))

    assert (record.verdict, record.observed) == ("pass", "identical"), record.reason


def test_a_byte_that_changes_in_a_dimm_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def meddle(source: Guest, destination: Guest | None, within: float, **how: Any) -> Course:
        course = await watch(source, destination, within, **how)
        (ram,) = lab.scratch.glob("main/cell-*/destination.ram")
        with file_of(ram, "dimm2").open("r+b") as file:
            file.seek(2 * PAGE + 7)
            file.write(b"\xa5")
        return course

    monkeypatch.setattr(running, "watch", meddle)

    record = lab.run(lab.cell("quarter", blocks="small-dimms", corpus="zero"))

    assert (record.verdict, record.kind) == ("fail", "corrupt")
    assert "first at page 2 of dimm2" in record.reason


# What QEMU 9.0 to 9.2.0 did with packets of zero pages only


@pytest.fixture
def forgetful(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Between source and destination somebody forgets packets of zero pages only."""
    if not NEW:
        pytest.skip("no QEMU since 9.0; remedy: 'multifd vendor fetch --qemu'")
    forward = splicing._Channel._forward
    threads: list[threading.Thread] = []

    def forget(channel: splicing._Channel, packet: Packet) -> None:
        if len(packet.normal) or not len(packet.zero):
            forward(channel, packet)

    def before(recording: Recording, address: str) -> str:
        server, here = listen(f"unix:{recording.socket}", backlog=8)
        side = Side.of("zlib", lab.qemu.facts.dialect.name, create("zlib", {}))
        (ground,) = lab.qemu.machines.values()
        splice = Splice(Splicing(side, side, PAGE, ground.blocks, 2), address, WITHIN)

        def run() -> None:
            with closing(splice), closing(server):
                splice.run(server)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return here

    monkeypatch.setattr(splicing._Channel, "_forward", forget)
    monkeypatch.setattr(Recording, "before", before)
    yield
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("forgetful")
def test_packets_of_zero_pages_only_that_are_forgotten_are_found(lab: Lab) -> None:
    record = lab.run(lab.cell("zero-run"))

    assert (record.verdict, record.kind) == ("fail", "corrupt")
    assert "everybody says completed" in record.reason


@pytest.mark.usefixtures("forgetful")
def test_pages_here_and_there_that_become_zero_do_not_show_it(lab: Lab) -> None:
    assert lab.run(lab.cell("quarter", corpus="text")).verdict == "pass"


@pytest.mark.usefixtures("forgetful")
def test_zero_pages_on_the_main_channel_are_not_forgotten(lab: Lab) -> None:
    assert lab.run(lab.cell("zero-run-legacy")).verdict == "pass"
