"""What is in a guest's memory, how it is divided, how much of it there is: all of it arrives."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("qemu", "quarter", "quarter-legacy", "one-page", "packet-and-one")
def test_content(cell: PlannedCell, conclude: Conclude) -> None:
    """Every content through every real encoder; then a quarter of it changes, or a page, or one more than a packet."""
    conclude(cell)


@pytest.mark.cells("qemu", "half-zero", "half-zero-legacy", "three-rounds", "three-rounds-legacy")
def test_packets(cell: PlannedCell, conclude: Conclude) -> None:
    """Every content, in packets of which half are zero pages, and in three rounds."""
    conclude(cell)


@pytest.mark.cells("qemu", "zero-run", "zero-run-legacy")
def test_zero_run(cell: PlannedCell, conclude: Conclude) -> None:
    """Hundreds of consecutive pages become zero: packets without any content."""
    conclude(cell)


@pytest.mark.cells("qemu", "large", "large-legacy")
def test_large(cell: PlannedCell, conclude: Conclude) -> None:
    """A guest of 64 MiB, or of as much as --memory says."""
    conclude(cell)
