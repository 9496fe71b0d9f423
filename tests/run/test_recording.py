"""Recordings: what the sender of a cell sends becomes a capture, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from multifd.campaign.conclude import located
from multifd.evidence.outcome import Outcome
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.lineup.qemus import resolve_qemus
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.capture import Capture
from multifd.plan.qemu.machine import machine_of
from multifd.plan.qemu.whole import qemu_plan
from multifd.plan.work import Pairing
from multifd.profile.model import PeerEntry, Profile
from multifd.qemu.facts import machine_dialect
from multifd.run.bench import Bench
from multifd.run.qemu.recording import Recording
from multifd.run.stage import Stage
from multifd.wire.dialect import MainSync, dialect
from multifd.wire.invariants import Sender
from multifd.wire.promise import promise_of
from multifd.wire.witness import Watched
from tests.cli.command import multifd
from tests.qemu.host import QEMU, needs_qemu
from tests.reports.builder import cell

FRAMING: Final = "zlib-sync-page[window=12]"
"""Another than zlib's own, that a real decoder reads."""
SENDER: Final = Sender(dialect("qemu-5.0"), 2, False, 4096, promise_of((7, 2)), MainSync.EOS, 2)


class Laboratory:
    """One QEMU, one codec of ours, and every cell of the two."""

    def __init__(self, scratch: Path, record: Path) -> None:
        two = Profile(description="two", peers=(PeerEntry(codec="zlib"), PeerEntry(codec="none")))
        qemus = resolve_qemus([QEMU], 20.0)
        self.name = qemus[0].name
        self.line_up: LineUp = resolve("two", two, None).model_copy(update={"qemus": qemus})
        self.record = record / "qemu"
        self.stage = Stage(scratch, "main", 1, None)
        self.bench = Bench(self.line_up, self.stage, record=record)

    def cell(self, sender: str, receiver: str, framing: str, scenario: str = "migrate") -> Pairing:
        """The cell; ``qemu`` stands for the QEMU, and ``framing`` is as results have it."""
        ends = [self.name if name == "qemu" else name for name in (sender, receiver)]
        pairings = (cell.pairing for cell in qemu_plan(self.line_up))
        return next(
            p for p in pairings if [p.sender, p.receiver] == ends and (p.framing, p.scenario) == (framing, scenario)
        )

    def run(self, sender: str, receiver: str, framing: str, scenario: str = "migrate") -> tuple[Outcome, Capture]:
        """The outcome and the capture that the cell left."""
        chosen = self.cell(sender, receiver, framing, scenario)
        outcome = self.bench.run(chosen)
        assert outcome.artifacts == (str(self.record / chosen.place),)
        return outcome, Capture.open(self.record / chosen.place)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Peers that every test here uses."""
    scratch = make_scratch(1 << 28, sockets=True)
    try:
        made = Laboratory(scratch, tmp_path_factory.mktemp("captures"))
        with closing(made.bench):
            yield made
    finally:
        remove_scratch(scratch)


ENDS: Final = {
    "QEMU to QEMU": ("qemu", "qemu", "zlib", "migrate"),
    "over TCP": ("qemu", "qemu", "zlib", "tcp"),
    "with return path": ("qemu", "qemu", "zlib", "return-path"),
    "QEMU to ours": ("qemu", "zlib", "zlib", "migrate"),
    "ours to QEMU": ("zlib", "qemu", f"{FRAMING}>zlib", "splice"),
    "QEMU to ours, on": ("qemu", "zlib", "zlib", "splice"),
}


@needs_qemu
@pytest.mark.parametrize("ends", ENDS.values(), ids=list(ENDS))
def test_what_arrives_identical_replays_identical(ends: tuple[str, str, str, str], laboratory: Laboratory) -> None:
    outcome, capture = laboratory.run(*ends)

    assert outcome.observation.outcome == "identical"
    replayed = multifd("replay", capture.directory).out
    assert (replayed.startswith("identical: "), replayed.endswith("; compared m\n")) == (True, True)


@needs_qemu
def test_a_qemu_sends_a_method_also_before_a_splice(laboratory: Laboratory) -> None:
    _, capture = laboratory.run("qemu", "zlib", "zlib", "splice")

    assert (capture.manifest.method, capture.manifest.framing) == ("zlib", None)


@needs_qemu
def test_sync_is_marked_as_the_machine_type_does(laboratory: Laboratory) -> None:
    _, capture = laboratory.run("qemu", "zlib", "zlib")

    machine = machine_of(laboratory.line_up, laboratory.cell("qemu", "zlib", "zlib"))
    assert capture.manifest.main_sync == machine_dialect(machine).main_sync.value


@needs_qemu
def test_a_splice_sends_a_framing(laboratory: Laboratory) -> None:
    _, capture = laboratory.run("zlib", "qemu", f"{FRAMING}>zlib", "splice")

    assert (capture.manifest.method, capture.manifest.framing) == (None, FRAMING)


@needs_qemu
def test_what_was_refused_can_be_looked_at(laboratory: Laboratory) -> None:
    outcome, capture = laboratory.run("qemu", "qemu", "zlib>zstd", "busy-return-path")

    assert outcome.observation.outcome != "identical"
    assert "zlib, " in multifd("dissect", capture.directory, "--limit", "3").out


@needs_qemu
def test_nobody_records_unasked(laboratory: Laboratory) -> None:
    bench = Bench(laboratory.line_up, laboratory.stage)

    with closing(bench):
        outcome = bench.run(laboratory.cell("qemu", "qemu", "none"))

    assert outcome.artifacts == ()


@pytest.fixture
def planned(tmp_path: Path) -> Pairing:
    """A migration whose sender never comes."""
    return Pairing.model_construct(
        sender="qemu-1", receiver="zlib", sender_framing="zlib", sender_dialect="qemu-5.0", scenario="migrate",
        sizes={"m": 4096},
    )  # fmt: skip


def test_what_is_no_capture_leaves_nothing(planned: Pairing, tmp_path: Path) -> None:
    ram = tmp_path / "ram"
    ram.write_bytes(bytes(4096))

    with Recording(tmp_path / "capture", tmp_path / "tap", 20.0) as recording:
        recording.before(f"unix:{tmp_path / 'nobody'}", SENDER)
        saved = recording.save(planned, MainSync.EOS, ram, 4096, spliced=False)

    assert saved == ()
    assert not (tmp_path / "capture").exists()


def test_what_was_recorded_before_goes(tmp_path: Path) -> None:
    (tmp_path / "capture").mkdir()
    (tmp_path / "capture" / "channel-7.bin").touch()

    with Recording(tmp_path / "capture", tmp_path / "tap", 20.0) as recording:
        recording.before(f"unix:{tmp_path / 'nobody'}", SENDER)

        assert list((tmp_path / "capture").iterdir()) == []


def test_without_a_directory_nothing_is_written(tmp_path: Path) -> None:
    with Recording(None, tmp_path / "tap", 20.0) as recording:
        assert recording.before(f"unix:{tmp_path / 'nobody'}", SENDER) == f"unix:{tmp_path / 'tap'}"

        assert list(tmp_path.iterdir()) == [tmp_path / "tap"]


def test_a_receiver_on_tcp_has_a_tap_on_tcp(tmp_path: Path) -> None:
    with Recording(None, tmp_path / "tap", 20.0) as recording:
        assert recording.before("tcp:127.0.0.1:7", SENDER).startswith("tcp:127.0.0.1:")


def test_who_had_no_tap_has_seen_nothing(tmp_path: Path) -> None:
    with Recording(None, tmp_path / "tap", 20.0) as recording:
        assert recording.carriers == ()
        assert recording.watched(completed=False, transferred=0) == Watched(0)


@pytest.mark.parametrize(
    ("artifact", "shown"),
    [("/results/captures/qemu/a", "captures/qemu/a"), ("/elsewhere/qemu/a", "/elsewhere/qemu/a")],
)
def test_a_record_has_paths_as_seen_from_its_report(artifact: str, shown: str) -> None:
    assert located(cell(artifacts=(artifact,)), Path("/results")).artifacts == (shown,)
