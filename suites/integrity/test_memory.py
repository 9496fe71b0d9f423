"""Page integrity: the whole memory is identical after a live migration, whatever the content and the way."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("integrity", "whole")
def test_content(cell: PlannedCell, conclude: Conclude) -> None:
    """Every kind of page content, every page size."""
    conclude(cell)


@pytest.mark.cells("integrity", "live", "zero-only", "partial", "empty", "legacy-zero-pages", "stale")
def test_rounds(cell: PlannedCell, conclude: Conclude) -> None:
    """Dirty rounds, pages that become zero, packets full, partial, zero-only and empty; 1 to 255 channels."""
    conclude(cell)


@pytest.mark.cells("integrity", "mutating")
def test_pages_that_change_while_they_are_encoded(cell: PlannedCell, conclude: Conclude) -> None:
    """The stream stays decodable and all other pages are intact; the changed ones are right after their next round."""
    conclude(cell)
