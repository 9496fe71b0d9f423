"""The vendors' own libraries under scrutiny: do they keep their documentation's word, and can zlib read them?"""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("vendor")
def test_library(cell: PlannedCell, conclude: Conclude) -> None:
    """Systematic checks of sessions, destinations, boundaries, levels, damage, sizes, long runs and threads.

    Every defect found has a reproducer of its own, which runs alone; one that shows nothing any more fails the run,
    until its known issue is taken out of the list.
    """
    conclude(cell)
