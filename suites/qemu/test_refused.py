"""What QEMU refuses when it is told: methods that it lacks, values, capabilities that do not fit."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell
from multifd.plan.scenarios.refused import REFUSALS


@pytest.mark.cells("qemu", *(scenario.name for scenario in REFUSALS))
def test_told(cell: PlannedCell, conclude: Conclude) -> None:
    """QEMU takes what it should over QMP and on its command line, and refuses the rest in its own words."""
    conclude(cell)
