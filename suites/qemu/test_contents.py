"""What is in a guest's memory, how it is divided, how much of it there is: all of it arrives."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells(
    "qemu", "one-page", "packet-and-one", "half-zero", "half-zero-legacy", "three-rounds", "three-rounds-legacy"
)
def test_packets(cell: PlannedCell, conclude: Conclude) -> None:
    """Packets with one page, with one too many, half of them zero pages, in two rounds and in three."""
    conclude(cell)


@pytest.mark.cells("qemu", "zero-run", "zero-run-legacy")
def test_zero_run(cell: PlannedCell, conclude: Conclude) -> None:
    """Hundreds of consecutive pages become zero: packets without any content."""
    conclude(cell)


@pytest.mark.cells("qemu", "large", "large-legacy")
def test_large(cell: PlannedCell, conclude: Conclude) -> None:
    """A guest of 64 MiB, or of as much as --memory says."""
    conclude(cell)
