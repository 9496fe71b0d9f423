"""The plans whose cells advice is held against: pairs of recorded QEMUs, negotiations between codecs of ours. And where
tests start QEMUs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from multifd.campaign.conclude import planned
from multifd.campaign.options import Options
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.negotiation import negotiation_plan
from multifd.plan.qemu.whole import qemu_plan
from multifd.profile.load import load
from multifd.result.record import Outcome, Results, Verdict
from tests.qemu.recorded import peer
from tests.reports.builder import results

QEMUS: Final = (
    peer("7.2"), peer("10.0"), peer("11.1"), peer("10.0", "qpl", "uadk", "qatzip", name="qemu-lab"),
)  # fmt: skip
_VERDICTS: Final[dict[Outcome, Verdict]] = {"identical": "pass", "rejected": "refused", "hazard": "hazard"}


def ran(line_up: LineUp, cells: Sequence[PlannedCell]) -> Results:
    """A run in which everything went as predicted."""
    options = Options()
    records = [
        planned(cell, options).model_copy(
            update={"verdict": _VERDICTS[cell.prediction.outcome], "observed": cell.prediction.outcome}
        )
        for cell in cells
    ]
    peers = tuple(each.record() for each in line_up.everybody)
    return results(*records).model_copy(update={"peers": peers})


@pytest.fixture(scope="package")
def line_up() -> LineUp:
    profile = load("emulated")
    ours = resolve("emulated", profile, None, device_peers(profile, []))
    return ours.model_copy(update={"qemus": QEMUS})


@pytest.fixture(scope="package")
def pairs(line_up: LineUp) -> list[PlannedCell]:
    """Cells between two QEMUs."""
    names = {qemu.name for qemu in QEMUS}
    return [cell for cell in qemu_plan(line_up) if {cell.work.sender, cell.work.receiver} <= names]


@pytest.fixture(scope="package")
def negotiations(line_up: LineUp) -> list[PlannedCell]:
    return list(negotiation_plan(line_up))


@pytest.fixture(scope="package")
def run(line_up: LineUp, pairs: list[PlannedCell], negotiations: list[PlannedCell]) -> Results:
    return ran(line_up, [*pairs, *negotiations])


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A directory with a short name, for a socket's path has at most 107 bytes (unix(7))."""
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        yield Path(directory)
