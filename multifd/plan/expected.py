"""What a cell is expected to take, so that parts of a plan take about as long as each other.

Means of a whole run on two cores of an Intel Xeon with QEMU 7.2. What matters is what cells take beside each other: on
any other host it is another number of seconds and much the same ratio.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from multifd.plan.work import Pairing, Work

_PAIRINGS: Final[Mapping[str, float]] = {
    "capture": 0.036, "live": 0.075, "playback": 0.044, "qemu": 0.83, "splice": 1.05, "recording": 0.55,
    "handshake": 1.4, "lifetime": 2.1, "connections": 1.1, "running": 1.2,
}  # fmt: skip
"""By the mode of the scenario."""
_OTHERS: Final[Mapping[str, float]] = {
    "probe": 0.001, "flips": 0.2, "check": 0.44, "reproducer": 0.44, "fidelity": 9.0,
}  # fmt: skip
"""By the kind of the work."""
_GIB: Final = 40.0
"""Of guest memory beyond what is usual."""
_USUAL: Final = 4 << 20
"""Bytes: the guests that the means were taken of have no more."""


def expected(work: Work) -> float:
    """Seconds."""
    if not isinstance(work, Pairing):
        return _OTHERS[work.kind]
    more = max(0, sum(work.sizes.values()) - _USUAL)
    return _PAIRINGS[work.plan.mode] + _GIB * more / (1 << 30)
