"""Real QEMU on one or both ends: does the guest arrive, and if it does not, who says so?"""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell


@pytest.mark.cells("qemu", "migrate", "migrate-legacy", "dirty-rounds", "old-machine", "q35", "return-path", "tcp")
def test_guest(cell: PlannedCell, conclude: Conclude) -> None:
    """QEMU to QEMU of every version, and to our receiver: memory arrives, or both sides know that it did not."""
    conclude(cell)


@pytest.mark.cells(
    "qemu", *(which + how for which in ("fewer-channels", "more-channels") for how in ("", "-legacy", "-spliced"))
)
def test_unequal_channels(cell: PlannedCell, conclude: Conclude) -> None:
    """Both sides were told different numbers of channels, which are not on the wire."""
    conclude(cell)


@pytest.mark.cells("qemu", "splice")
def test_splice(cell: PlannedCell, conclude: Conclude) -> None:
    """Our encoders before a real decoder, our decoders behind a real encoder."""
    conclude(cell)


@pytest.mark.cells("qemu", "busy-destination", "busy-return-path", "busy-fewer-channels", "busy-more-channels")
def test_busy_destination(cell: PlannedCell, conclude: Conclude) -> None:
    """A destination that looks only when the source has sent everything: a mismatch then costs the guest."""
    conclude(cell)


@pytest.mark.cells("qemu", "recorded-fault")
def test_faults(cell: PlannedCell, conclude: Conclude) -> None:
    """A real receiver refuses, in the words that we predict for it, what is wrong with a packet."""
    conclude(cell)
