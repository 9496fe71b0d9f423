"""What many runs show of one cell: flakes, and the first bad run."""

from __future__ import annotations

from typing import Any, Final

import pytest

from multifd.history.entries import Entry, Past
from multifd.history.judged import flaky, worsened
from multifd.result.record import Kind, Verdict

SAME: Final = ("1.0, software", "1.0, software")


def past(number: int, **changes: Any) -> Past:
    fields: dict[str, Any] = {
        "number": number, "id": f"run-{number}", "started": f"2025-11-{number:02}", "finished": None, "complete": True,
        "exit_code": 0, "profile": "auto", "seed": "1", "plan": "x", "cpu": "Xeon", "versions": {"multifd": "0.1.0"},
        "peers": {}, "planned": {}, "reach": {},
        **changes,
    }  # fmt: skip
    return Past(**fields)


def entry(
    number: int, verdict: Verdict, kind: Kind | None = None, versions: tuple[str, str] = SAME, **changes: Any
) -> Entry:
    return Entry(past(number, **changes), verdict, kind, "not claimed", (None, None), versions, f"because of {number}")


def entries(*verdicts: Verdict) -> list[Entry]:
    """One run after the other, nothing else changed."""
    return [entry(number, verdict) for number, verdict in enumerate(verdicts, 1)]


# flaky


@pytest.mark.parametrize(
    "verdicts", [(), ("pass",), ("fail", "fail", "fail"), ("pass", "skip", "pass", "not-run", "error")]
)
def test_a_cell_that_always_goes_the_same_way_is_not_flaky(verdicts: tuple[Verdict, ...]) -> None:
    assert flaky("a", entries(*verdicts)) is None


def test_a_cell_that_turns_though_nothing_changed_is_flaky() -> None:
    found = flaky("a", entries("pass", "fail", "fail", "skip", "pass"))

    assert found is not None
    assert (found.cell, found.turns, found.runs, found.standings) == ("a", 2, 3, {"pass": 2, "fail": 2})
    assert found.reason == "because of 5"


def test_another_kind_of_the_same_verdict_is_a_turn() -> None:
    found = flaky("a", [entry(1, "known", "hang"), entry(2, "known", "crash")])

    assert found is not None
    assert found.standings == {"known (hang)": 1, "known (crash)": 1}


@pytest.mark.parametrize("changes", [
    {"versions": ("1.1, software", SAME[1])}, {"versions": (SAME[0], "1.0, hardware")}, {"seed": "2"},
    {"cpu": "Epyc"},
])  # fmt: skip
def test_a_cell_that_turns_when_something_changed_is_not_flaky(changes: dict[str, Any]) -> None:
    assert flaky("a", [entry(1, "pass"), entry(2, "fail", **changes)]) is None


def test_a_package_that_changed_is_a_change() -> None:
    after = Entry(past(2, versions={"multifd": "0.2.0"}), "fail", None, "not claimed", (None, None), SAME, "")

    assert flaky("a", [entry(1, "pass"), after]) is None


def test_runs_of_the_same_software_are_compared_though_another_was_between() -> None:
    found = flaky("a", [entry(1, "pass"), entry(2, "fail", versions=("2", "2")), entry(3, "fail")])

    assert found is not None
    assert (found.turns, found.runs) == (1, 1)


# worse than it was


@pytest.mark.parametrize("verdicts", [
    (), ("pass",), ("fail", "fail"), ("fail", "pass"), ("skip", "fail"), ("pass", "not-run"), ("not-run", "skip"),
    ("pass", "fail", "pass"), ("error", "fail"),
])  # fmt: skip
def test_a_cell_that_never_was_better_is_not_worse(verdicts: tuple[Verdict, ...]) -> None:
    assert worsened("a", entries(*verdicts)) is None


@pytest.mark.parametrize(("verdicts", "good", "bad"), [
    (("pass", "fail"), 1, 2),
    (("pass", "pass", "fail", "fail"), 2, 3),
    (("pass", "fail", "pass", "hazard", "hazard"), 3, 4),
    (("pass", "fail", "known"), 1, 2),
    (("fail", "refused", "hazard", "error", "fail"), 3, 5),
])  # fmt: skip
def test_the_last_good_and_the_first_bad_run_are_told(verdicts: tuple[Verdict, ...], good: int, bad: int) -> None:
    found = worsened("a", entries(*verdicts))

    assert found is not None
    assert (found.good, found.bad) == (f"run-{good}", f"run-{bad}")
    assert (found.was, found.now) == (verdicts[good - 1], verdicts[-1])
    assert (found.good_at, found.reason) == (f"2025-11-{good:02}", f"because of {len(verdicts)}")


def test_runs_between_that_did_not_look_are_counted() -> None:
    found = worsened("a", entries("pass", "skip", "not-run", "error", "fail"))

    assert found is not None
    assert (found.good, found.bad, found.unlooked) == ("run-1", "run-5", 3)


def test_a_last_run_that_did_not_look_changes_nothing() -> None:
    found = worsened("a", entries("pass", "fail", "skip"))

    assert found is not None
    assert (found.bad, found.now) == ("run-2", "fail")


def test_what_changed_between_the_two_is_told() -> None:
    before = entry(1, "pass", versions=("7.2, software", "1"))
    after = Entry(
        past(2, seed="3", cpu="Epyc", versions={"new": "1"}), "fail", None, "not claimed", (None, None),
        ("10.0, software", "2"), "",
    )  # fmt: skip

    found = worsened("a", [before, after])

    assert found is not None
    assert found.changed == (
        "sender 7.2, software -> 10.0, software", "receiver 1 -> 2", "seed 1 -> 3", "processor Xeon -> Epyc",
        "multifd 0.1.0 -> none", "new none -> 1",
    )  # fmt: skip


@pytest.mark.parametrize(("verdicts", "expected"), [(("pass", "fail"), True), (("pass", "fail", "fail"), True)])
def test_that_it_is_flaky_is_told(verdicts: tuple[Verdict, ...], expected: bool) -> None:
    steady = worsened("a", [entry(1, "pass"), entry(2, "fail", versions=("2", "2"))])
    found = worsened("a", entries(*verdicts))

    assert found is not None
    assert steady is not None
    assert (found.flaky, steady.flaky) == (expected, False)
