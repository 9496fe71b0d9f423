"""Before the matrix, every peer is held to its word."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("probe")
def test_peer_keeps_its_word(cell: PlannedCell, conclude: Conclude) -> None:
    """A round trip in every container that it declares is identical; what it says it cannot do it refuses."""
    conclude(cell)
