"""Flag negotiation: there is none on the wire, so every method of every dialect meets every other, live."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("negotiation", "live", "legacy-zero-pages")
def test_method_meets_method(cell: PlannedCell, conclude: Conclude) -> None:
    """Equal methods are accepted; different ones refused in QEMU's words, with no page written after the error.

    Where a receiver's mask hides the sender's flag, or a receiver looks for zero pages where the sender does not
    put them, memory goes wrong: predicted as a hazard, and demonstrated here.
    """
    conclude(cell)


@pytest.mark.cells("negotiation", "capture")
def test_decoder_is_given_another_framing(cell: PlannedCell, conclude: Conclude) -> None:
    """Every rule that can refuse a framing to a decoder does so once, in words that name the cause."""
    conclude(cell)
