"""Real QEMU over more than one migration: what was cancelled, who quit, what a process has lost after many."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells(
    "qemu", "cancel-connecting", "cancel-setup", "cancel-active", "cancel-stalled", "cancel-pre-switchover",
    "cancel-device",
)  # fmt: skip
def test_cancel(cell: PlannedCell, conclude: Conclude) -> None:
    """A migration that was cancelled can be tried again, with another method, and arrives."""
    conclude(cell)


@pytest.mark.cells(
    "qemu", "quit-source-connecting", "quit-source-setup", "quit-source-active", "quit-source-pre-switchover",
    "quit-destination-active", "quit-destination-pre-switchover",
)  # fmt: skip
def test_quit(cell: PlannedCell, conclude: Conclude) -> None:
    """One end quits in the middle: it ends, the other end knows, and a guest that is left arrives elsewhere."""
    conclude(cell)


@pytest.mark.cells("qemu", "many-cancelled", "many-completed")
def test_leaks(cell: PlannedCell, conclude: Conclude) -> None:
    """One process that migrates many times has the same descriptors, threads and memory after each."""
    conclude(cell)


@pytest.mark.cells("qemu", "ping-pong")
def test_ping_pong(cell: PlannedCell, conclude: Conclude) -> None:
    """There, and back into a fresh process with another method: memory is what it was at the start."""
    conclude(cell)
