"""Fidelity: does the emulated silicon accept what the vendor's library accepts, to the same bytes?"""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("fidelity")
def test_emulation(cell: PlannedCell, conclude: Conclude) -> None:
    """Streams of every encoder, and DEFLATE built by grammar with everything at its limits and beyond.

    Whatever differs must be a named, cited difference between silicon and the library's software path.
    """
    conclude(cell)
