"""Real QEMU as it is set, or as it is if nobody sets anything: does the guest arrive?"""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell
from multifd.plan.scenarios.settings import LEVELS, ON


@pytest.mark.cells("qemu", "defaults")
def test_defaults(cell: PlannedCell, conclude: Conclude) -> None:
    """Every ordered pair, every migration parameter as the machine type has it."""
    conclude(cell)


@pytest.mark.cells("qemu", "channels")
def test_channels(cell: PlannedCell, conclude: Conclude) -> None:
    """From 1 channel to 255."""
    conclude(cell)


@pytest.mark.cells("qemu", "migrate-none")
def test_zero_pages_like_any_other(cell: PlannedCell, conclude: Conclude) -> None:
    """Zero pages that travel with their content arrive at every receiver."""
    conclude(cell)


@pytest.mark.cells("qemu", *(f"{method}-level-{level}" for method, levels in LEVELS.items() for level in levels))
def test_levels(cell: PlannedCell, conclude: Conclude) -> None:
    """The receiver does not know at which level the sender compresses, and need not."""
    conclude(cell)


@pytest.mark.cells("qemu", *ON)
def test_capabilities(cell: PlannedCell, conclude: Conclude) -> None:
    """Capabilities that are on and not used change nothing."""
    conclude(cell)
