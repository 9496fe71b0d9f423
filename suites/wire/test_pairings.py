"""Wire compatibility: every encoder x every decoder x every framing x window, by capture."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("wire")
def test_pairing(cell: PlannedCell, conclude: Conclude) -> None:
    """What this encoder emits, this decoder reads to identical memory, or refuses cleanly.

    Each encoder runs once per framing; its output is measured against what it declares, then every decoder reads
    the same bytes. Pairings that cannot work are run too: they must be refused with the predicted error, and
    memory that is wrong without an error fails the run.
    """
    conclude(cell)
