"""What a stream says of itself, and what the source says that it has sent."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("qemu", "book-keeping")
def test_bookkeeping(cell: PlannedCell, conclude: Conclude) -> None:
    """Packet numbers, payload sizes and ``ram.transferred`` are held to what the newest QEMU promises."""
    conclude(cell)
