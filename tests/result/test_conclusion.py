"""What a run comes to: every row of the table, and which of them comes first."""

from __future__ import annotations

from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.result.answers import answered, seen
from multifd.result.conclusion import Conclusion, conclude, exit_code
from multifd.result.questions import shipped
from multifd.result.record import CONFORMING, Cell, Verdict
from tests.reports.builder import cell, results
from tests.result.thread import ran

TABLE: Final[tuple[tuple[str, Conclusion, Conclusion], ...]] = (
    ("", Conclusion(True, 1), Conclusion(False, 3)),
    ("pass", Conclusion(True, 0), Conclusion(False, 3)),
    ("refused", Conclusion(True, 0), Conclusion(False, 3)),
    ("hazard", Conclusion(True, 0), Conclusion(False, 3)),
    ("known", Conclusion(True, 0), Conclusion(False, 3)),
    ("fail", Conclusion(True, 1), Conclusion(False, 1)),
    ("skip", Conclusion(True, 1), Conclusion(False, 3)),
    ("error", Conclusion(True, 3), Conclusion(False, 3)),
    ("not-run", Conclusion(False, 3), Conclusion(False, 3)),
    ("pass refused hazard known skip", Conclusion(True, 0), Conclusion(False, 3)),
    ("pass not-run", Conclusion(False, 3), Conclusion(False, 3)),
    ("skip not-run", Conclusion(False, 3), Conclusion(False, 3)),
    ("pass error", Conclusion(True, 3), Conclusion(False, 3)),
    ("skip error", Conclusion(True, 3), Conclusion(False, 3)),
    ("pass fail", Conclusion(True, 1), Conclusion(False, 1)),
    ("error fail", Conclusion(True, 1), Conclusion(False, 1)),
    ("fail not-run", Conclusion(False, 1), Conclusion(False, 1)),
)
"""Verdicts, what they come to where the run came to its end, and where it did not."""


@pytest.fixture(autouse=True, scope="module")
def questions() -> None:
    """They are read once, before anybody measures how long an example takes."""
    shipped()


def of(verdicts: str | list[Verdict], *, ended: bool) -> Conclusion:
    listed = verdicts.split() if isinstance(verdicts, str) else verdicts
    return conclude((cell(verdict=verdict) for verdict in listed), ended=ended)


@pytest.mark.parametrize(("verdicts", "expected"), [(row[0], row[1]) for row in TABLE])
def test_what_a_run_comes_to(verdicts: str, expected: Conclusion) -> None:
    assert of(verdicts, ended=True) == expected


@pytest.mark.parametrize(("verdicts", "expected"), [(row[0], row[2]) for row in TABLE])
def test_what_a_run_comes_to_that_did_not_come_to_its_end(verdicts: str, expected: Conclusion) -> None:
    assert of(verdicts, ended=False) == expected


def test_a_probe_is_no_check_of_what_was_planned_beside_it() -> None:
    probe, pairing = cell(suite="probe", verdict="pass"), cell(suite="wire", verdict="skip")

    assert conclude([probe, pairing], ended=True) == Conclusion(True, 1)
    assert conclude([probe], ended=True) == Conclusion(True, 0)


def test_every_verdict_has_its_row() -> None:
    assert {row[0] for row in TABLE} >= set(get_args(Verdict))


verdict_lists = st.lists(st.sampled_from(get_args(Verdict)), max_size=6)


@given(verdict_lists, st.booleans())
def test_one_failure_decides(verdicts: list[Verdict], ended: bool) -> None:
    assert of([*verdicts, "fail"], ended=ended).exit_code == 1


@given(verdict_lists, st.booleans(), st.sampled_from(["error", "not-run"]))
def test_what_broke_comes_next(verdicts: list[Verdict], ended: bool, broke: Verdict) -> None:
    assert of([*verdicts, broke], ended=ended).exit_code == (1 if "fail" in verdicts else 3)


@given(verdict_lists, st.booleans())
def test_a_planned_cell_that_was_not_run_is_an_alarm(verdicts: list[Verdict], ended: bool) -> None:
    complete, code = of([*verdicts, "not-run"], ended=ended)

    assert (complete, code != 0) == (False, True)


@given(verdict_lists, st.booleans())
def test_only_a_complete_run_in_which_something_was_checked_conforms(verdicts: list[Verdict], ended: bool) -> None:
    good = ended and set(verdicts) <= CONFORMING | {"skip"} and bool(set(verdicts) & CONFORMING)

    assert (of(verdicts, ended=ended).exit_code == 0) == good


@given(verdict_lists, st.booleans())
def test_the_order_of_cells_does_not_matter(verdicts: list[Verdict], ended: bool) -> None:
    assert of(verdicts, ended=ended) == of(sorted(verdicts), ended=ended)


@given(verdict_lists, st.booleans())
def test_results_say_the_exit_code_of_their_run(verdicts: list[Verdict], ended: bool) -> None:
    expected = of(verdicts, ended=ended)
    written = results(*(cell(verdict=verdict) for verdict in verdicts), complete=expected.complete)

    assert exit_code(written) == expected.exit_code


CONTRADICTS: Final = ran("qatzip", "zlib", "qatzip", "refused")
"""What is predicted and seen, and not what the thread was told."""


@pytest.mark.parametrize(
    ("beside", "ended", "expected"),
    [
        ("pass", True, Conclusion(True, 1)),
        ("error", True, Conclusion(True, 1)),
        ("not-run", True, Conclusion(False, 1)),
        ("pass", False, Conclusion(False, 1)),
    ],
)
def test_a_cell_that_contradicts_an_answer_decides_as_a_failure_does(
    beside: Verdict, ended: bool, expected: Conclusion
) -> None:
    assert conclude([CONTRADICTS, cell(verdict=beside)], ended=ended) == expected


@pytest.mark.parametrize(("one", "code"), [(ran("qatzip", "zlib", "qatzip"), 0), (CONTRADICTS, 1)])
def test_answers_that_are_known_decide_as_those_that_are_found(one: Cell, code: int) -> None:
    run = results(one)

    assert exit_code(run, answered(seen(run))) == exit_code(run) == code
