"""Connections that come out of order, late or slowly, that end early, or that somebody else has too."""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("qemu", "stalled-channel", "slow-link", "late-channel", "reversed-connections", "main-last")
def test_slow_or_out_of_order(cell: PlannedCell, conclude: Conclude) -> None:
    """Memory arrives, however late and in whatever order its connections come."""
    conclude(cell)


@pytest.mark.cells(
    "qemu", "cut-before-init", "cut-in-init", "cut-after-init", "cut-in-header", "cut-in-payload", "cut-between",
    "cut-at-sync", "cut-at-end", "half-closed",
)  # fmt: skip
def test_cut(cell: PlannedCell, conclude: Conclude) -> None:
    """A channel ends before its sender ends it: somebody says so, or nobody ever does."""
    conclude(cell)


@pytest.mark.cells("qemu", "stranger-silent", "stranger-leaves", "stranger-garbage", "stranger-second", "stranger-last")
def test_stranger(cell: PlannedCell, conclude: Conclude) -> None:
    """Somebody who is not the source connects to the migration port."""
    conclude(cell)
