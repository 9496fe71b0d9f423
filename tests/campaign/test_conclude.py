"""From what happened in a cell to its record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.campaign.conclude import broken, broken_outside, concluded, planned, skipped
from multifd.campaign.options import Options
from multifd.evidence.outcome import Outcome
from multifd.oracle.question import Prediction
from multifd.oracle.verdict import Observation
from multifd.plan.cell import PlannedCell
from multifd.plan.library import library_plan
from multifd.result.agreed import check_agreed
from multifd.result.known import shipped
from multifd.result.record import Cell, DeviceWork
from tests.reports.builder import results


def test_the_numbers_behind_a_device_verdict_are_in_the_record() -> None:
    cell, *_ = library_plan({"qpl": None})
    work = DeviceWork(end="sender", device="IAA", asked=5, counted=4, source="its own unit", verdict="unproven")

    record = concluded(cell, Outcome(Observation("identical", device="unproven"), device=(work,)), Options(), ())

    assert (record.device_verdict, record.device) == ("unproven", (work,))


CELL: Final = next(iter(library_plan({"qpl": None})))
EVERY_END: Final = {
    "pass": Observation("identical"),
    "fail": Observation("rejected", "no space left", "no space left"),
    "error": Observation("broken", detail="disk full"),
}


@pytest.mark.parametrize("verdict", EVERY_END)
def test_whatever_came_of_it_a_record_says_why_it_was_predicted(verdict: str) -> None:
    cell, *_ = library_plan({"qpl": None})

    record = concluded(cell, Outcome(EVERY_END[verdict]), Options(), ())

    assert (record.verdict, record.because, record.rule) == (verdict, cell.prediction.reason, "vendor")


def test_what_nothing_disagreed_with_is_said_once() -> None:
    cell, *_ = library_plan({"qpl": None})

    record = concluded(cell, Outcome(EVERY_END["pass"]), Options(), ())

    assert (record.reason, record.predicted_because) == (cell.prediction.reason, None)


def test_what_is_known_keeps_why_it_was_predicted() -> None:
    cell = next(each for each in library_plan({"qatzip": None}) if each.id == "vendor/qatzip/raw-exact")
    said = "a destination exactly as large as the output is refused for raw"

    record = concluded(cell, Outcome(Observation("identical", said, claim=said)), Options(), shipped())

    assert (record.verdict, record.kind, record.because) == ("known", "invariant", cell.prediction.reason)
    assert record.reason.startswith("qatzip-raw-exact: ")


OBSERVED: Final = st.builds(
    Observation,
    outcome=st.sampled_from(["identical", "rejected", "hazard", "crash", "hang", "broken"]),
    error=st.none() | st.just("no space left"),
    detail=st.just("within 30 s"),
    late_pages=st.integers(0, 2),
    claim=st.none() | st.just("it said otherwise"),
    broken=st.just(()) | st.just(("an id comes twice",)),
    lost=st.none() | st.sampled_from(["crash", "hang"]),
)
PREDICTED: Final = st.sampled_from(
    [
        Prediction("identical", "all-hold", "both read it", None, ()),
        Prediction("rejected", "window", "its window is larger", "no space", ()),
        Prediction("hazard", "channels", "pages are lost", None, (), sooner="no space"),
    ]
)


@given(prediction=PREDICTED, observed=OBSERVED)
def test_whatever_came_of_it_and_broke_around_it_its_record_can_be_read_again(
    prediction: Prediction, observed: Observation
) -> None:
    record = concluded(CELL.model_copy(update={"prediction": prediction}), Outcome(observed), Options(), ())

    for each in (record, broken_outside(record, "the disk is gone")):
        check_agreed(results(each), "here")


@pytest.mark.parametrize("record", [planned, partial(skipped, reason="no card"), partial(broken, reason="no disk")])
def test_what_nobody_ran_says_why_it_was_predicted(record: Callable[[PlannedCell, Options], Cell]) -> None:
    cell, *_ = library_plan({"qpl": None})

    assert record(cell, Options()).because == cell.prediction.reason
    assert cell.prediction.reason not in record(cell, Options()).reason


def test_what_passed_before_something_broke_around_it_says_why_it_was_predicted() -> None:
    cell, *_ = library_plan({"qpl": None})
    passed = concluded(cell, Outcome(EVERY_END["pass"]), Options(), ())

    record = broken_outside(passed, "the disk is gone")

    assert (record.verdict, record.reason) == ("error", "the harness or the host broke: the disk is gone")
    assert record.because == cell.prediction.reason
