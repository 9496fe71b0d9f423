"""Cells with a real QEMU on either end, one of each kind; and whatever is wrong in one of them is seen."""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.errors import EnvironmentBroke
from multifd.lineup.peers import LineUp
from multifd.lineup.qemus import resolve_qemus
from multifd.oracle.predict import predict
from multifd.oracle.rules import RULES
from multifd.plan import pairings
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.whole import qemu_plan
from multifd.qemu.ask import ask
from multifd.qemu.binary import Binary
from multifd.qemu.guest import Guest
from multifd.qemu.migration import Course, watch
from multifd.result.known import findings, shipped
from multifd.result.record import Cell
from multifd.run.bench import Bench
from multifd.run.qemu import bench as running
from multifd.run.stage import Stage
from tests.liars.court import altered, entry, honest, line_up
from tests.qemu.host import BINARIES, QEMU, needs_qemu

pytestmark = needs_qemu
WITHIN: Final = 20.0
RARE: Final = "qemu-failed-source-completed-destination: "
LIARS: Final = ("corrupts-a-bit", "flips-in-the-splice")


class Lab:
    """A bench with real QEMUs, honest peers of ours, and liars."""

    def __init__(self, scratch: Path, *binaries: Binary) -> None:
        ours = line_up([*honest(), *map(entry, LIARS)])
        self.line_up: LineUp = ours.model_copy(update={"qemus": resolve_qemus(binaries, WITHIN)})
        self.qemu = self.line_up.qemus[0]
        self.scratch = scratch
        self.bench = Bench(self.line_up, Stage(scratch, "main", 1, None))

    def cell(self, methods: str, pairing: str, scenario: str, channels: int | None = None) -> PlannedCell:
        """The first cell of ``METHOD`` or ``SENT~READ``; in ``SENDER~RECEIVER`` ``Q`` is the first QEMU."""
        return next(
            cell
            for cell in qemu_plan(self.line_up)
            if cell.id.startswith(f"qemu/{methods}/{pairing.replace('Q', self.qemu.name)}/")
            and f"/{scenario}/" in cell.id
            and channels in (None, cell.pairing.channels)
        )

    def run(self, cell: PlannedCell) -> Cell:
        """Run and conclude it, as a run does; no QEMU is left."""
        record = concluded(cell, self.bench.run(cell.pairing), Options(), shipped())
        assert self.left() == []
        return record

    def outlived(self, cell: PlannedCell) -> Cell:
        """Run it until its source outlives the reset after it failed, of which one before 9.0 dies every other time."""
        for _ in range(20):
            record = self.run(cell)
            if record.observed != "crash" and "qemu-source-aborts-when-reset" not in record.issues:
                break
        return record

    def arrives(self, cell: PlannedCell) -> bool:
        """Run it: memory is what was sent, and both sides know, but for what QEMU 7.2 rarely does to its source."""
        record = self.run(cell)
        return (record.verdict, record.observed) == ("pass", "identical") or record.reason.startswith(RARE)

    def left(self) -> list[int]:
        """QEMUs of this lab that are alive."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if f"unix:{self.scratch}".encode() in path.read_bytes():
                    found.append(int(path.parent.name))
        return found


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Lab(Path(directory), QEMU)
        yield lab
        lab.bench.close()


# What works


@pytest.mark.parametrize("method", ["none", "zlib", "zstd"])
def test_a_guest_arrives_at_another_qemu(method: str, lab: Lab) -> None:
    assert lab.arrives(lab.cell(method, "Q~Q", "migrate"))


def test_a_record_has_what_was_moved(lab: Lab) -> None:
    record = lab.run(lab.cell("none", "Q~Q", "migrate"))

    assert record.bytes_memory > 4 << 20
    assert record.bytes_wire > 1 << 20


@pytest.mark.parametrize("scenario", ["tcp", "return-path"])
def test_a_guest_arrives_by_every_way(scenario: str, lab: Lab) -> None:
    assert lab.arrives(lab.cell("none", "Q~Q", scenario))


@pytest.mark.parametrize(
    ("method", "pairing", "scenario", "channels"),
    [
        ("none", "Q~none", "migrate", 1),
        ("zlib", "Q~zlib", "migrate", 16),
        ("zstd", "Q~zstd", "return-path", None),
        ("zlib", "Q~zlib", "dirty-rounds", None),
    ],
)
def test_a_guest_arrives_at_our_receiver(
    method: str, pairing: str, scenario: str, channels: int | None, lab: Lab
) -> None:
    assert lab.arrives(lab.cell(method, pairing, scenario, channels))


@pytest.mark.parametrize("framing", ["zlib", "zlib-sync-page[window=15]~zlib", "zstd", "none"])
def test_our_encoder_stands_before_a_real_decoder(framing: str, lab: Lab) -> None:
    codec = framing.partition("~")[2] or framing

    assert lab.arrives(lab.cell(framing, f"{codec}~Q", "splice"))


@pytest.mark.parametrize("method", ["zlib", "zstd"])
def test_our_decoder_stands_behind_a_real_encoder(method: str, lab: Lab) -> None:
    assert lab.arrives(lab.cell(method, f"Q~{method}", "splice"))


def test_a_recording_that_is_played_back_arrives(lab: Lab) -> None:
    assert lab.arrives(lab.cell("zlib", "Q~Q", "recorded-fault-flags-ignored-bit"))


def aborting(monkeypatch: pytest.MonkeyPatch, command: str, side: str, **given: object) -> None:
    """Have one QEMU abort when it is told this command with these arguments."""
    execute = Guest.execute

    async def told(self: Guest, asked: str, within: float, /, **arguments: Any) -> Any:
        if (asked, self.name) == (command, side) and given.items() <= arguments.items():
            self.send_signal(signal.SIGABRT)
        return await execute(self, asked, within, **arguments)

    monkeypatch.setattr(Guest, "execute", told)


# What is refused


def test_a_method_that_the_destination_was_not_told_is_refused(lab: Lab) -> None:
    record = lab.run(lab.cell("zlib~zstd", "Q~Q", "migrate"))

    assert record.predicted == "rejected"
    assert record.verdict in ("refused", "known"), record.reason
    assert record.error is not None


def test_a_new_stream_for_every_packet_is_refused_by_a_real_decoder(lab: Lab) -> None:
    record = lab.run(lab.cell("zlib-packet[window=15]~zlib", "zlib~Q", "splice"))

    assert record.verdict in ("refused", "known"), record.reason


def test_a_wrong_magic_is_refused(lab: Lab) -> None:
    assert lab.run(lab.cell("zlib", "Q~Q", "recorded-fault-magic")).verdict == "refused"


def test_a_codec_that_cannot_stand_in_the_splice_refuses_and_nothing_is_broken(lab: Lab) -> None:
    record = lab.run(altered(lab.cell("zlib", "zlib~Q", "splice"), sender="libdeflate"))

    assert (record.observed, record.verdict, record.kind) == ("rejected", "fail", "wrong-error")
    assert "libdeflate cannot keep a stream open across packets" in record.reason


# What hangs, and what is lost


def test_a_destination_that_waits_for_a_channel_that_does_not_come_is_not_waited_for(lab: Lab) -> None:
    record = lab.run(lab.cell("none", "Q~Q", "fewer-channels"))

    assert (record.observed, record.verdict) == ("hang", "known")
    assert [finding.id for finding in findings([record], shipped())] == ["qemu-waits-for-missing-channels"]


def test_a_refusal_that_comes_too_late_costs_the_guest(lab: Lab) -> None:
    record = lab.run(lab.cell("zlib~zstd", "Q~Q", "busy-destination"))

    assert (record.observed, record.verdict) == ("hazard", "hazard"), record.reason
    assert [finding.id for finding in findings([record], shipped())] == ["qemu-completed-without-destination"]


@pytest.mark.parametrize("scenario", ["busy-destination", "busy-return-path"])
def test_a_destination_that_stood_still_goes_on(scenario: str, lab: Lab) -> None:
    assert lab.arrives(lab.cell("zlib", "Q~Q", scenario))


@pytest.fixture(scope="module")
def generations() -> Iterator[Lab]:
    """A QEMU that puts zero pages into packets, and one that knows none there."""
    known = [(binary, ask(binary, WITHIN).zero_pages) for binary in BINARIES]
    new = next((binary for binary, modes in known if modes), None)
    old = next((binary for binary, modes in known if not modes), None)
    if new is None or old is None:
        pytest.skip("no QEMU before 9.0 and one since; remedy: 'multifd vendor fetch --qemu'")
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Lab(Path(directory), new, old)
        yield lab
        lab.bench.close()


def test_zero_pages_in_packets_are_lost_on_an_old_destination(generations: Lab) -> None:
    old = generations.line_up.qemus[1].name

    record = generations.run(generations.cell("none", f"Q~{old}", "migrate"))

    assert (record.observed, record.verdict) == ("hazard", "hazard"), record.reason
    assert [finding.id for finding in findings([record], shipped())] == ["qemu-zero-pages-ignored"]


def test_zero_pages_on_the_main_channel_arrive_there(generations: Lab) -> None:
    old = generations.line_up.qemus[1].name

    assert generations.arrives(generations.cell("none", f"Q~{old}", "migrate-legacy"))


# What is wrong is seen


def test_a_receiver_that_flips_a_bit_is_found(lab: Lab) -> None:
    record = lab.run(altered(lab.cell("zlib", "Q~zlib", "migrate"), receiver="corrupts-a-bit"))

    assert (record.verdict, record.kind) == ("fail", "corrupt")
    assert "everybody says completed" in record.reason


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_a_codec_that_flips_a_bit_in_the_splice_is_found(side: str, lab: Lab) -> None:
    pairing = "zlib~Q" if side == "sender" else "Q~zlib"

    record = lab.run(altered(lab.cell("zlib", pairing, "splice"), **{side: "flips-in-the-splice"}))

    assert (record.verdict, record.kind) == ("fail", "corrupt")
    assert record.reason.startswith("hazard: everybody says completed, ")


def test_memory_that_changes_after_both_sides_said_completed_is_found(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def meddle(source: Guest, destination: Guest | None, within: float, **how: Any) -> Course:
        course = await watch(source, destination, within, **how)
        (ram,) = lab.scratch.glob("main/cell-*/destination.ram")
        with ram.open("r+b") as file:
            file.seek(300 * 4096 + 7)
            file.write(b"\xa5")
        return course

    monkeypatch.setattr(running, "watch", meddle)

    record = lab.run(lab.cell("none", "Q~Q", "migrate"))

    assert (record.verdict, record.kind) == ("fail", "corrupt")
    assert record.reason == (
        "hazard: everybody says completed, 1 pages hold what was never sent, 0 hold something old, first at"
        " page 300 of m; predicted identical"
    )


@pytest.mark.parametrize(
    ("rule", "method", "scenario"), [("channels", "zstd", "fewer-channels"), ("link", "zlib", "cut-after-init")]
)
def test_without_a_rule_of_connections_a_real_cell_fails(
    rule: str, method: str, scenario: str, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = lab.cell(method, "Q~Q", scenario)
    monkeypatch.setattr(pairings, "predict", partial(predict, rules=[r for r in RULES if r.name != rule]))
    mutated = lab.cell(method, "Q~Q", scenario)
    assert (true.prediction.outcome, mutated.prediction.outcome) == ("rejected", "identical")

    outcome = lab.bench.run(true.pairing)

    assert concluded(true, outcome, Options(), shipped()).verdict == "known"
    assert concluded(mutated, outcome, Options(), ()).verdict == "fail"


def test_a_qemu_that_does_not_come_up_is_the_environments_fault(tmp_path: Path, lab: Lab) -> None:
    gone = lab.qemu.model_copy(update={"binary": Binary(command=(*QEMU.command, "-no-such-option"))})
    bench = Bench(lab.line_up.model_copy(update={"qemus": (gone,)}), Stage(lab.scratch, "other", 1, None))

    with pytest.raises(EnvironmentBroke, match="exited with status 1 before it answered: -no-such-option: invalid"):
        bench.run(lab.cell("none", "Q~Q", "migrate").pairing)

    assert lab.left() == []


# A QEMU that is lost


class Lost:
    """A bench whose QEMU has a program that comes and goes, or that a wrapper does not reach any more."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self._lab = lab
        self._program = directory / "qemu-system-x86_64"
        binary = Binary(command=(str(self._program),))
        qemus = (lab.qemu.model_copy(update={"binary": binary}),)
        self._bench = Bench(lab.line_up.model_copy(update={"qemus": qemus}), Stage(directory, "lost", 1, None))

    def become(self, script: str) -> None:
        """From now on it is this."""
        self._program.write_text(f"#!/bin/sh\n{script}\n")
        self._program.chmod(0o755)

    def come(self) -> None:
        """From now on it is there."""
        self.become(f'exec {shlex.join(QEMU.command)} "$@"')

    def go(self) -> None:
        """From now on it is not."""
        self._program.unlink()

    def said(self, scenario: str = "migrate") -> str:
        """What a cell says that does not come to its end; ``""`` of one that does."""
        try:
            self._bench.run(self._lab.cell("zlib", "Q~Q", scenario).pairing)
        except EnvironmentBroke as problem:
            return str(problem)
        return ""


@pytest.fixture
def lost(lab: Lab) -> Iterator[Lost]:
    """Its scratch space has a short name, for sockets."""
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        yield Lost(lab, Path(directory))


def test_a_qemu_that_is_gone_three_times_in_a_row_is_not_tried_again(lab: Lab, lost: Lost) -> None:
    lost.come()
    lost.go()
    gone = [lost.said() for _ in range(3)]
    lost.come()

    again = lost.said("global")

    assert all(
        re.fullmatch(r"cannot start '/\S+/qemu-system-x86_64': No such file or directory", each) for each in gone
    )
    assert again == f"{lab.qemu.name} is not tried again: 3 times in a row it could not be started, at last: {gone[0]}"


def test_a_qemu_that_comes_back_is_tried_as_often_again(lost: Lost) -> None:
    for _ in range(2):
        lost.come()
        assert lost.said() == ""
        lost.go()
        assert all(lost.said().startswith("cannot start") for _ in range(2))


def test_a_qemu_that_is_lost_has_refused_nothing(lost: Lost) -> None:
    lost.become("echo host unreachable >&2; exit 255")

    assert re.search(
        "^(source|destination) exited with status 255 before it answered: host unreachable; started as: .*; then it"
        " could not be started at all: qemu exited with status 255 before it answered: host unreachable",
        lost.said("global"),
    )


def test_what_one_scenario_cannot_start_is_tried_in_the_next(lost: Lost) -> None:
    lost.become(f'case "$*" in *global*) exit 1;; esac; exec {shlex.join(QEMU.command)} "$@"')

    assert [lost.said("global") for _ in range(4)] == [""] * 4
    lost.become(f'case "$*" in *memory-backend*) exit 1;; esac; exec {shlex.join(QEMU.command)} "$@"')
    assert all("exited with status 1" in lost.said() for _ in range(4))


# A QEMU that dies


@pytest.mark.parametrize(
    ("command", "side"),
    [("query-migrate-parameters", "source"), ("migrate-incoming", "destination"), ("migrate", "source")],
)
def test_a_qemu_that_dies_at_a_command_has_crashed(
    command: str, side: str, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    aborting(monkeypatch, command, side)

    record = lab.run(lab.cell("none", "Q~Q", "migrate"))

    assert (record.verdict, record.kind, record.observed) == ("fail", "crash", "crash")
    assert record.reason == f"{side} killed by signal 6: no message; at {command}"
    assert (record.provenance.sender, record.provenance.receiver) == ("software", "software")
