"""A guest that runs while it migrates."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("qemu", "running", "running-kvm")
def test_running_guest(cell: PlannedCell, conclude: Conclude) -> None:
    """Its own writes are the dirty rounds; it arrives as it left, goes on there, and stands still where it was."""
    conclude(cell)
