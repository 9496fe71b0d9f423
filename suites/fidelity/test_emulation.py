"""Fidelity: does the emulated silicon accept what the vendor's library accepts, to the same bytes?"""

import pytest

from fixtures.plugin import Conclude
from multifd.plan.vendor import VendorCell


@pytest.mark.cells("fidelity")
def test_emulation(cell: VendorCell, conclude: Conclude) -> None:
    """Streams of every encoder, and DEFLATE built by grammar with everything at its limits and beyond.

    Whatever differs must be a named, cited difference between silicon and the library's software path.
    """
    conclude(cell)
