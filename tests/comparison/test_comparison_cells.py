"""One cell in two runs: what differs, and what of it is worse."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import pytest

from multifd.comparison.cells import Change, changes
from multifd.comparison.standing import PROOFS, PROVENANCES, Direction
from multifd.result.record import KIND_ORDER, Cell, Integrity, Sides
from tests.reports.builder import cell, finding, results

GOOD_TO_BAD: Final = ("pass", "refused", "known", "hazard", "skip", "not-run", "error", "fail")


def changed(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Change | None:
    """What becomes of one cell, given as what is special in either run; None: not planned there."""
    runs = [results(*([] if fields is None else [one(**fields)])) for fields in (before, after)]
    found = changes(*runs)
    assert len(found) <= 1
    return found[0] if found else None


def one(**fields: Any) -> Cell:
    return cell(id="wire/a~b", **fields)


def direction(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Direction:
    change = changed(before, after)
    assert change is not None
    return change.direction


def test_a_cell_that_is_as_it_was_is_no_change() -> None:
    assert changed({}, {}) is None


def test_time_size_and_command_are_no_change() -> None:
    assert changed({"bytes_wire": 1}, {"bytes_wire": 2, "reproduce": "another", "artifacts": ("x",)}) is None


@pytest.mark.parametrize(("good", "bad"), list(pairwise(GOOD_TO_BAD)))
def test_a_verdict_further_to_the_bad_is_worse_and_the_way_back_better(good: str, bad: str) -> None:
    assert direction({"verdict": good}, {"verdict": bad}) == "worse"
    assert direction({"verdict": bad}, {"verdict": good}) == "better"


@pytest.mark.parametrize(("bad", "good"), list(pairwise(KIND_ORDER)))
def test_of_two_failures_the_worse_kind_is_worse(bad: str, good: str) -> None:
    assert direction({"verdict": "fail", "kind": good}, {"verdict": "fail", "kind": bad}) == "worse"
    assert direction({"verdict": "fail", "kind": bad}, {"verdict": "fail", "kind": good}) == "better"


def test_the_kind_of_a_known_issue_is_told_and_not_judged() -> None:
    assert direction({"verdict": "known", "kind": "hang"}, {"verdict": "known", "kind": "crash"}) == "other"


def test_a_cell_that_is_not_planned_any_more_is_not_worse() -> None:
    change = changed({"verdict": "pass"}, None)

    assert change is not None
    assert (change.before, change.after, change.direction, change.reason) == (
        "pass",
        None,
        "other",
        "no longer planned",
    )


@pytest.mark.parametrize(("verdict", "expected"), [
    ("pass", "other"), ("hazard", "other"), ("known", "other"), ("skip", "other"), ("not-run", "other"),
    ("fail", "worse"), ("error", "worse"),
])  # fmt: skip
def test_a_new_cell_is_worse_only_if_it_went_wrong(verdict: str, expected: Direction) -> None:
    assert direction(None, {"verdict": verdict}) == expected


@pytest.mark.parametrize("end", ["sender", "receiver"])
@pytest.mark.parametrize("before", PROVENANCES)
@pytest.mark.parametrize("after", PROVENANCES)
def test_what_is_further_from_the_silicon_is_worse(before: str, after: str, end: str) -> None:
    if before == after:
        return
    far = {"hardware": 0, "vendor-software": 1, "software": 1, "emulated": 2}
    expected = "worse" if far[after] > far[before] else "better" if far[after] < far[before] else "other"

    change = changed(
        {"provenance": Sides.model_validate({end: before})}, {"provenance": Sides.model_validate({end: after})}
    )

    assert change is not None
    assert change.direction == expected
    assert [(each.field, each.before, each.after) for each in change.differences] == [
        (f"provenance of the {end}", before, after)
    ]


@pytest.mark.parametrize("after", PROOFS[1:])
def test_what_was_proven_and_is_not_is_worse(after: str) -> None:
    assert direction({"device_verdict": "proven"}, {"device_verdict": after}) == "worse"
    assert direction({"device_verdict": after}, {"device_verdict": "proven"}) == "better"


@pytest.mark.parametrize("verdict", ["skip", "not-run", "error"])
def test_of_a_cell_in_which_nothing_was_observed_only_the_verdict_is_compared(verdict: str) -> None:
    change = changed(
        {"device_verdict": "proven", "provenance": Sides(sender="hardware")},
        {"verdict": verdict, "device_verdict": "not claimed", "provenance": Sides(), "observed": "not-run"},
    )

    assert change is not None
    assert [each.field for each in change.differences] == ["verdict"]


SEVERE: Final = finding(id="gone-wrong", severity="corruption")
MILD: Final = finding(id="impolite", severity="contract")


@pytest.mark.parametrize(("before", "after", "expected"), [
    (("impolite",), ("gone-wrong",), "worse"),
    (("gone-wrong",), ("impolite",), "better"),
    (("gone-wrong",), ("gone-wrong", "impolite"), "other"),
    ((), ("gone-wrong",), "other"),
    (("impolite",), ("nobody-knows",), "better"),
])  # fmt: skip
def test_of_two_known_issues_the_graver_is_worse(
    before: tuple[str, ...], after: tuple[str, ...], expected: Direction
) -> None:
    runs = [results(one(verdict="known", issues=issues), findings=(SEVERE, MILD)) for issues in (before, after)]

    (change,) = changes(*runs)

    assert change.direction == expected


def test_flipped_bits_that_are_taken_now_are_worse_however_many() -> None:
    none, some = (Integrity(flips=10, detected=10 - silent, harmless=0, silent=silent) for silent in (0, 1))

    assert direction({"integrity": none}, {"integrity": some}) == "worse"
    assert direction({"integrity": some}, {"integrity": none}) == "better"


def test_how_many_flipped_bits_are_taken_is_chance() -> None:
    one_, two = (Integrity(flips=10, detected=10 - silent, harmless=0, silent=silent) for silent in (1, 2))

    assert changed({"integrity": one_}, {"integrity": two}) is None


@pytest.mark.parametrize("field", ["reason", "error"])
def test_other_words_are_told_and_not_judged(field: str) -> None:
    change = changed({field: "distance too far"}, {field: "wrong header"})

    assert change is not None
    assert (change.direction, change.differences[0].before) == ("other", "distance too far")


@pytest.mark.parametrize(("before", "after"), [
    ("12 of 1024 pages", "7 of 512 pages"), ("at 0x3f000", "at 0x1000"),
    ("found zlib: 789c8d575b72e248…90fe620a", "found zlib: 789c9d57db92ea38…8ea940db"),
])  # fmt: skip
def test_numbers_and_bytes_are_no_other_words(before: str, after: str) -> None:
    assert changed({"error": before}, {"error": after}) is None


def test_an_error_where_there_was_none_is_told() -> None:
    change = changed({"error": None}, {"error": "1"})

    assert change is not None
    assert change.differences[0].before is None


def test_complaints_are_compared_all_together() -> None:
    change = changed({"complaints": ("a",)}, {"complaints": ("a", "b")})

    assert change is not None
    assert (change.differences[0].before, change.differences[0].after) == ("a", "a\nb")


def test_what_is_worse_comes_first_then_what_is_better() -> None:
    before = results(*(cell(id=name, verdict=verdict) for name, verdict in
                       (("same", "pass"), ("gone", "pass"), ("mended", "fail"), ("broken", "pass"))))  # fmt: skip
    after = results(*(cell(id=name, verdict=verdict) for name, verdict in
                      (("same", "pass"), ("new", "pass"), ("mended", "pass"), ("broken", "fail"))))  # fmt: skip

    assert [change.cell for change in changes(before, after)] == ["broken", "mended", "new", "gone"]


def test_a_change_has_the_words_and_the_command_of_the_run_after() -> None:
    change = changed({"reason": "was"}, {"verdict": "fail", "reason": "is", "error": "told", "reproduce": "do"})

    assert change is not None
    assert (change.reason, change.error, change.reproduce) == ("is", "told", "do")


def test_a_prediction_that_is_made_for_another_reason_is_told() -> None:
    fail = {"verdict": "fail", "kind": "crash", "reason": "it died"}

    change = changed({**fail, "predicted_because": "all holds"}, {**fail, "predicted_because": "nobody looks"})

    assert change is not None
    assert [(each.field, each.direction) for each in change.differences] == [("why predicted", "other")]


def test_the_same_reason_in_another_place_is_no_difference() -> None:
    fail = {"verdict": "fail", "kind": "crash", "reason": "it died", "predicted_because": "all holds"}

    change = changed({"reason": "all holds"}, fail)

    assert change is not None
    assert "why predicted" not in [each.field for each in change.differences]


def test_of_results_from_before_nobody_knows_whether_it_is_another_reason() -> None:
    fail = {"verdict": "fail", "kind": "crash", "reason": "it died"}

    assert changed(fail, {**fail, "predicted_because": "all holds"}) is None


def test_what_a_reason_says_is_told_once() -> None:
    change = changed({"reason": "all holds"}, {"reason": "nobody looks"})

    assert change is not None
    assert [each.field for each in change.differences] == ["reason"]
