"""Advice agrees with every cell: with what is planned for each pair of real QEMUs, and with what a run has seen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from multifd.advice.hosts import Host
from multifd.advice.lines import ANY, CHANNELS, STANDING, UNLIKE, Direction
from multifd.advice.of_oracle import direction
from multifd.advice.of_run import directions, judged
from multifd.advice.parties import stand_for
from multifd.framing.model import METHOD_FRAMINGS
from multifd.lineup.peers import QemuPeer
from multifd.oracle.refusal import LEVELS
from multifd.plan.cell import PlannedCell
from multifd.plan.scenarios.scenario import Scenario
from multifd.plan.work import Pairing
from multifd.result.record import Cell, Results
from multifd.wire.dialect import DIALECTS
from tests.advice.conftest import QEMUS

ORDINARY = ("qemu", "live", "capture")
"""Modes of one migration over a link that does nothing."""


def host(qemu: QemuPeer) -> Host:
    return Host(qemu.name, qemu.facts.release, qemu.facts, said=True)


def is_ordinary(scenario: Scenario) -> bool:
    special = scenario.link, scenario.tls, scenario.interruption, scenario.life, scenario.strict
    told = scenario.capabilities, set(scenario.parameters) & set(LEVELS), scenario.arguments
    return scenario.mode in ORDINARY and not any(special) and not any(told)


def concerned(cells: list[PlannedCell]) -> Iterator[tuple[PlannedCell, Pairing]]:
    """Cells about methods that both ends could be set to."""
    for cell in cells:
        work = cell.work
        if isinstance(work, Pairing) and work.fault is None and is_ordinary(work.plan):
            yield cell, work


def says(advice: Direction, cell: PlannedCell, work: Pairing) -> bool:
    """A line is about this, and comes to the same."""
    sent, read = work.sender_framing, work.receiver_framing
    if work.receiver_channels is not None:
        names = {CHANNELS}
    elif sent != read:
        names = {UNLIKE, f"{sent}>{read}"}
    else:
        names = {sent, ANY}
    setting = next(((each.name, each.value) for each in cell.prediction.setting), None)
    return any(
        line.method in names
        and line.verdict == STANDING[cell.prediction.outcome]
        and (setting is None or (line.setting is not None and (line.setting.name, line.setting.value) == setting))
        for line in advice.lines
        if line.released
    )


def test_the_oracle_advises_what_is_planned_for_every_pair_of_qemus(pairs: list[PlannedCell]) -> None:
    advice = {
        (one.name, other.name): direction(host(one), host(other)) for one, other in itertools.product(QEMUS, QEMUS)
    }

    looked_at = list(concerned(pairs))
    assert len(looked_at) > 500
    for cell, work in looked_at:
        assert says(advice[work.sender, work.receiver], cell, work), cell.id


def test_nothing_is_called_safe_that_is_planned_to_be_anything_else(pairs: list[PlannedCell]) -> None:
    for one, other in itertools.product(QEMUS, QEMUS):
        safe = {line.method for line in direction(host(one), host(other)).safe}

        for cell, work in concerned(pairs):
            alike = work.sender_framing == work.receiver_framing and work.receiver_channels is None
            ours = (work.sender, work.receiver) == (one.name, other.name)
            if ours and alike and work.plan.defaults and work.sender_framing in safe:
                assert cell.prediction.outcome == "identical", cell.id


def test_a_run_advises_what_its_cells_say_of_every_pair_of_qemus(run: Results, pairs: list[PlannedCell]) -> None:
    names = {f"QEMU {qemu.facts.release}": qemu.name for qemu in QEMUS if qemu.name != "qemu-lab"}
    names["qemu-lab (QEMU 10.0.13)"] = "qemu-lab"
    advice = {
        (names[each.sender.name], names[each.receiver.name]): each
        for each in directions(run)
        if {each.sender.name, each.receiver.name} <= set(names)
    }

    assert len(advice) == len(QEMUS) ** 2
    for cell, work in concerned(pairs):
        assert says(advice[work.sender, work.receiver], cell, work), cell.id


def test_a_run_advises_what_its_cells_say_of_every_pair_of_dialects(
    run: Results, negotiations: list[PlannedCell]
) -> None:
    advice = {(each.sender.versions, each.receiver.versions): each for each in directions(run) if not devices(each)}

    looked_at = 0
    for cell, work in concerned(negotiations):
        sent, read = work.sender_framing, work.receiver_framing
        spoken, heard = DIALECTS[work.sender_dialect].versions, DIALECTS[work.receiver_dialect].versions
        ours = {sent, read} <= set(METHOD_FRAMINGS) and "RFC" not in spoken + heard
        if ours and work.sender in stand_for(sent) and work.receiver in stand_for(read):
            assert says(advice[spoken, heard], cell, work), cell.id
            looked_at += 1
    assert looked_at > 400


def devices(advice: Direction) -> bool:
    return bool(advice.sender.device or advice.receiver.device)


def changed(run: Results, cell_id: str, **changes: object) -> Results:
    """The same run, but one cell went another way."""
    cells = tuple(cell.model_copy(update=changes) if cell.id == cell_id else cell for cell in run.cells)
    return run.model_copy(update={"cells": cells})


def defaults(run: Results, method: str) -> Cell:
    """Of QEMU 10.0 to 11.1."""
    name = f"qemu/{method}/qemu-10.0.13~qemu-11.1.3/"
    return next(cell for cell in run.cells if cell.id.startswith(name) and cell.scenario == "defaults")


def between(run: Results) -> Direction:
    _, middle, new, _ = QEMUS
    return judged(host(middle), host(new), run)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"verdict": "fail", "kind": "corrupt", "observed": "hazard"}, "hazard"),
        ({"verdict": "fail", "kind": "accepted", "observed": "identical"}, "hazard"),
        ({"verdict": "fail", "kind": "hang", "observed": "hang"}, "unknown"),
        ({"verdict": "known", "observed": "hang"}, "hazard"),
        ({"verdict": "known", "kind": "wrong-error", "observed": "rejected"}, "refused"),
        ({"verdict": "known", "observed": "identical"}, "safe"),
        ({"verdict": "skip", "observed": "skipped"}, "safe"),
    ],
    ids=["corrupt", "accepted", "hang", "known hang", "known refusal", "known, and memory right", "skipped"],
)
def test_the_worst_cell_decides(changes: dict[str, object], expected: str, run: Results) -> None:
    cell = defaults(run, "zstd")

    advice = between(changed(run, cell.id, **changes))

    line = next(line for line in advice.lines if line.method == "zstd")
    assert (line.verdict, line.rests_on) == (expected, "run")
    assert (line.cells[0] == cell.id) == (expected != "safe")


def test_a_line_that_the_run_contradicts_says_so_and_gives_nothing_to_paste(run: Results) -> None:
    cell = defaults(run, "zstd")

    advice = between(changed(run, cell.id, verdict="fail", kind="corrupt", error="pages differ"))

    line = next(line for line in advice.lines if line.method == "zstd")
    assert line.why == f"the run shows otherwise than predicted: pages differ ({cell.id})"
    assert (line.qmp, line.libvirt) == ((), ())


def test_a_pair_of_which_the_run_has_no_cell_is_no_direction(run: Results) -> None:
    few = run.model_copy(update={"cells": tuple(cell for cell in run.cells if cell.suite == "qemu")})

    assert {each.sender.name for each in directions(few)} == {
        "QEMU 7.2.22", "QEMU 10.0.13", "QEMU 11.1.3", "qemu-lab (QEMU 10.0.13)",
    }  # fmt: skip


def test_without_cells_a_direction_rests_on_the_oracle(run: Results) -> None:
    nothing = run.model_copy(update={"cells": ()})

    assert {line.rests_on for line in between(nothing).lines} == {"oracle"}
    assert directions(nothing) == ()
