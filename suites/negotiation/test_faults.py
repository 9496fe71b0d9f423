"""One field of one packet is wrong: the receiver says so in QEMU's words, or is known not to look at it."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("negotiation", "fault")
def test_wrong_field(cell: PlannedCell, conclude: Conclude) -> None:
    """Magic, version, uuid, channel id, flags, counts, sizes, RAM block and offsets, in every dialect."""
    conclude(cell)
