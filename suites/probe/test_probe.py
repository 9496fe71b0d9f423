"""Before the matrix, every peer is held to its word."""

import pytest

from fixtures.plugin import Conclude
from multifd.result.record import Cell


@pytest.mark.cells("probe")
def test_peer_keeps_its_word(probe_record: Cell, conclude: Conclude) -> None:
    """A round trip in every container that it declares is identical; an impossible request is refused."""
    conclude.settle(probe_record)
