"""From what happened in a cell to its record."""

from __future__ import annotations

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.evidence.outcome import Outcome
from multifd.oracle.verdict import Observation
from multifd.plan.library import library_plan
from multifd.result.record import DeviceWork


def test_the_numbers_behind_a_device_verdict_are_in_the_record() -> None:
    cell, *_ = library_plan({"qpl": None})
    work = DeviceWork(end="sender", device="IAA", asked=5, counted=4, source="its own unit", verdict="unproven")

    record = concluded(cell, Outcome(Observation("identical", device="unproven"), device=(work,)), Options(), ())

    assert (record.device_verdict, record.device) == ("unproven", (work,))
