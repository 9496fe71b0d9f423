"""TLS on every channel: who lets whom in, who says why not, and does anybody hang at the handshake?"""

import pytest

from fixtures.concluding import Conclude
from multifd.plan.cell import PlannedCell
from multifd.plan.scenarios.secure import INTERRUPTED, REFUSED


@pytest.mark.cells("qemu", "tls-x509", "tls-psk", "tls-tcp", "tls-splice")
def test_tls(cell: PlannedCell, conclude: Conclude) -> None:
    """With certificates or a shared key memory arrives, between QEMUs and at peers of ours."""
    conclude(cell)


@pytest.mark.cells("qemu", *REFUSED)
def test_refused_handshake(cell: PlannedCell, conclude: Conclude) -> None:
    """Whoever trusts the other not says so, and nothing is written."""
    conclude(cell)


@pytest.mark.cells("qemu", *INTERRUPTED)
def test_interrupted_handshake(cell: PlannedCell, conclude: Conclude) -> None:
    """One end stands still or dies at the handshake: the other goes on answering."""
    conclude(cell)
