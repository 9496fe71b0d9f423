"""A bit flips on the way: which framing and which decoder notice, and which write it into memory."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("flips")
def test_flipped_bits(cell: PlannedCell, conclude: Conclude) -> None:
    """One bit at a time, in headers, bodies, trailers and length tables, of pages that shrink and pages that do not.

    Where a checksum covers the content and is compared, no flip is silent.
    """
    conclude(cell)
