"""From what happened in a cell to its record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import pytest

from multifd.campaign.conclude import broken, broken_outside, concluded, planned, skipped
from multifd.campaign.options import Options
from multifd.evidence.outcome import Outcome
from multifd.oracle.verdict import Observation
from multifd.plan.cell import PlannedCell
from multifd.plan.library import library_plan
from multifd.result.known import shipped
from multifd.result.record import Cell, DeviceWork


def test_the_numbers_behind_a_device_verdict_are_in_the_record() -> None:
    cell, *_ = library_plan({"qpl": None})
    work = DeviceWork(end="sender", device="IAA", asked=5, counted=4, source="its own unit", verdict="unproven")

    record = concluded(cell, Outcome(Observation("identical", device="unproven"), device=(work,)), Options(), ())

    assert (record.device_verdict, record.device) == ("unproven", (work,))


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
