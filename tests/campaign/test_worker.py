"""A worker, and what it does with a library whose loader is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from multifd.campaign.options import Options
from multifd.campaign.prepare import Campaign
from multifd.campaign.worker import Worker
from multifd.libraries.find import Library
from multifd.lineup.peers import LineUp
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.whole import Plan
from multifd.plan.work import Check
from multifd.profile.model import Deadlines

GONE: Final = Library("qpl", Path("/nowhere/libqpl.so.1"), "1.9.0", "fetched", ("/nowhere/ld.so",), (2, 41))
KEEPS: Final = Prediction("identical", "vendor", "it keeps its word", None, ())
CHECK: Final = Check(library="qpl", framing="raw", name="sizes")


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    campaign = Campaign(
        options=Options(),
        line_up=LineUp(profile="none", peers=(), deadlines=Deadlines()),
        plan=Plan(cells={}, unable=()),
        libraries={"qpl": GONE},
    )
    with Worker(campaign, tmp_path, tmp_path, None) as worker:
        yield worker


def test_a_loader_that_is_gone_three_times_in_a_row_is_not_tried_again(worker: Worker) -> None:
    cell = PlannedCell(suite="vendor", work=CHECK, prediction=KEEPS)

    records = [worker.conclude(cell) for _ in range(4)]

    assert {record.verdict for record in records} == {"error"}
    assert [record.reason for record in records] == [
        *["cannot start '/nowhere/ld.so': No such file or directory"] * 3,
        "library qpl is not tried again: 3 times in a row it could not be started, at last: cannot start"
        " '/nowhere/ld.so': No such file or directory",
    ]
