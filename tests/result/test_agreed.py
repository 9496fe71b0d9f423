"""What results say twice they say alike: what its cells contradict is refused, with both of what it says."""

from __future__ import annotations

from typing import Any, Final

import pytest

from multifd.errors import InputError
from multifd.result.agreed import check_agreed
from multifd.result.circumstances import Reach, Rule, Shard, Subset
from multifd.result.known import findings, shipped
from multifd.result.record import DeviceVerdict, DeviceWork, Integrity, Results, Sides
from tests.reports.builder import cell, finding, peer, results

KNOWN: Final = shipped()[0].id
CELLS: Final = (
    cell(id="qemu/a", suite="qemu", verdict="hazard", observed="hazard", issues=(KNOWN,)),
    cell(id="qemu/b", suite="qemu"),
    cell(id="wire/c", verdict="hazard", observed="hazard", issues=(KNOWN, "theirs")),
)
FOUND: Final = (*findings(CELLS, shipped()), finding(id="theirs", cells=("wire/c",)))
WHOLE: Final = results(*CELLS, findings=FOUND)


def changed(**run: Any) -> Results:
    return WHOLE.model_copy(update={"run": WHOLE.run.model_copy(update=run)})


def with_coverage(**fields: Any) -> Results:
    return changed(coverage=WHOLE.run.coverage.model_copy(update=fields))


def with_findings(*names: tuple[str, tuple[str, ...]]) -> Results:
    made = tuple(finding(id=name, cells=cells) for name, cells in names)
    return WHOLE.model_copy(update={"findings": made})


def with_cell(**fields: Any) -> Results:
    return results(cell(id="wire/a", **fields))


def refusal(found: Results) -> str:
    with pytest.raises(InputError) as error:
        check_agreed(found, "here")
    return str(error.value)


def work(verdict: DeviceVerdict) -> DeviceWork:
    return DeviceWork(end="sender", device="QAT", asked=1, counted=1, source="fw_counters", verdict=verdict)


OURS: Final = (KNOWN, ("qemu/a", "wire/c"))
THEIRS: Final = ("theirs", ("wire/c",))


def test_what_agrees_is_taken() -> None:
    check_agreed(WHOLE, "here")


def test_a_finding_may_have_its_cells_in_any_order() -> None:
    check_agreed(with_findings(THEIRS, (KNOWN, ("wire/c", "qemu/a"))), "here")


def test_an_issue_that_this_version_does_not_know_needs_no_finding() -> None:
    check_agreed(with_findings(OURS), "here")


def test_a_run_that_came_to_its_end_may_have_been_interrupted_there() -> None:
    check_agreed(changed(complete=False), "here")


def test_a_clock_that_was_set_back_during_a_run_is_nobodys_contradiction() -> None:
    check_agreed(changed(started="2025-11-22T19:01:24-01:00"), "here")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (with_findings(OURS, ("theirs", ())), "findings: theirs: 0 cells, expected the 1 whose issues have it"),
        (
            with_findings(OURS, ("theirs", ("wire/c", "qemu/b"))),
            "findings: theirs: cells: 'qemu/b', expected one of the 1 whose issues have it",
        ),
        (
            with_findings(OURS, ("theirs", ("wire/c", "wire/c"))),
            "findings: theirs: 2 cells, expected the 1 whose issues have it",
        ),
        (
            with_findings(OURS, THEIRS, ("invented", ("qemu/b",))),
            "findings: invented: cells: 'qemu/b', expected one of the 0 whose issues have it",
        ),
        (with_findings(OURS, THEIRS, THEIRS), "findings: 'theirs' comes more than once, expected each finding once"),
        (
            with_findings(THEIRS),
            f"findings: have no {KNOWN!r}, expected it, for the issues of qemu/a have it",
        ),
    ],
)
def test_a_finding_that_is_not_what_its_cells_say_is_refused(found: Results, message: str) -> None:
    assert refusal(found) == f"here: {message}"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            results(cell(verdict="not-run")),
            "run.complete: true, expected false, for 1 cell of 1 was not run",
        ),
        (changed(missing=("2/3",)), "run.complete: true, expected false, for run.missing has 2/3"),
        (changed(finished=None), "run.complete: true, expected false, for run.finished is null"),
        (
            changed(rules=(Rule(name="told", holds="it is told"),) * 2),
            "run.rules: 'told' comes more than once, expected each rule once",
        ),
        (
            with_coverage(pairs=Reach(had=3, feasible=2)),
            "run.coverage.pairs.had: 3, expected at most 2, as many as are feasible",
        ),
        (
            changed(subset=Subset(cells=1, of=9)),
            "run.subset.cells: 1, expected 2, those of suite qemu, to 9",
        ),
        (
            changed(subset=Subset(cells=10, of=9)),
            "run.subset.cells: 10, expected 2, those of suite qemu, to 9",
        ),
        (
            changed(shard=Shard(number=3, of=2, plan="x", places=(0, 1, 2))),
            "run.shard.number: 3, expected 1 to 2",
        ),
        (
            changed(shard=Shard(number=1, of=2, plan="x", places=(0, 1))),
            "run.shard.places: 2 places, expected one for each of 3 cells",
        ),
    ],
)
def test_circumstances_that_its_cells_contradict_are_refused(found: Results, message: str) -> None:
    assert refusal(found) == f"here: {message}"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            with_cell(device_verdict="proven"),
            "device_verdict: 'proven', expected 'not claimed', the worst of its device",
        ),
        (
            with_cell(device_verdict="proven", device=(work("proven"), work("unproven"))),
            "device_verdict: 'proven', expected 'unproven', the worst of its device",
        ),
        (
            with_cell(integrity=Integrity(flips=9, detected=5, harmless=1, silent=2)),
            "integrity.flips: 9, expected 8: detected, harmless and silent together",
        ),
    ],
)
def test_a_cell_whose_sum_is_not_that_of_its_parts_is_refused(found: Results, message: str) -> None:
    assert refusal(found) == f"here: wire/a: {message}"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"predicted": "hazard", "observed": "rejected", "verdict": "pass", "kind": None},
            "predicted: 'hazard', expected 'identical' of verdict 'pass'",
        ),
        ({"observed": "rejected"}, "observed: 'rejected', expected 'identical' of verdict 'pass'"),
        (
            {"verdict": "refused", "predicted": "identical"},
            "predicted: 'identical', expected 'rejected' or 'hazard' of verdict 'refused'",
        ),
        (
            {"verdict": "hazard", "predicted": "rejected"},
            "predicted: 'rejected', expected 'hazard' of verdict 'hazard'",
        ),
        ({"verdict": "skip", "observed": "identical"}, "observed: 'identical', expected 'skipped' of verdict 'skip'"),
        ({"verdict": "not-run", "observed": "crash"}, "observed: 'crash', expected 'not-run' of verdict 'not-run'"),
        ({"verdict": "error", "observed": "hang"}, "observed: 'hang', expected 'broken' of verdict 'error'"),
        (
            {"verdict": "fail", "observed": "skipped"},
            "observed: 'skipped', expected something that happened, of verdict",
        ),
        ({"verdict": "known", "kind": None}, "kind: null, expected the way in which it failed, of verdict 'known'"),
        ({"kind": "corrupt"}, "kind: 'corrupt', expected null of verdict 'pass'"),
    ],
)
def test_a_verdict_that_does_not_follow_from_its_record_is_refused(fields: dict[str, Any], message: str) -> None:
    complete = fields.get("verdict") != "not-run"

    assert refusal(results(cell(id="wire/a", **fields), complete=complete)).startswith(f"here: wire/a: {message}")


def test_where_a_hazard_is_predicted_a_refusal_may_be_met_sooner() -> None:
    check_agreed(with_cell(verdict="refused", predicted="hazard"), "here")


def test_a_software_peer_on_hardware_is_refused() -> None:
    found = with_cell(provenance=Sides(sender="hardware", receiver="software"))

    assert refusal(found) == (
        "here: wire/a: provenance.sender: 'hardware', expected 'software' as peers has zlib, for no device proves it"
    )


def test_a_qemu_is_on_hardware_where_its_device_proves_it() -> None:
    on_device = Sides(sender="hardware", receiver="software")

    check_agreed(
        with_cell(sender="qemu-10.2", provenance=on_device, device=(work("proven"),), device_verdict="proven"), "here"
    )


def test_two_peers_of_one_name_are_refused() -> None:
    twice = WHOLE.model_copy(update={"peers": (peer("zlib", "software"),) * 2})

    assert refusal(twice) == "here: peers: 'zlib' comes more than once, expected each peer once"
