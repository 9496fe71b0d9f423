"""Whether devices are idle while nothing is asked of them: what their counters then count is somebody else's work.

The first look at a counter is a long one, and so is every look after it was seen to move by itself; while it stands
still a short one does. Where the vendor's rules set no limit to what a device may count, more than was asked tells
nothing, and it is looked at once more afterwards, for as long as the work took.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from multifd.evidence.counters import Counters
from multifd.evidence.reading import Count, Reading, moved

LONG: Final = 0.05
"""Seconds of a look at a counter that is not known to stand still."""
SHORT: Final = 0.002
"""Seconds of a look at one that stood still when it was looked at last."""
LOOKS: Final = 3
"""How often a device is looked at that is at work."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a device's counters showed at one time."""

    reading: Reading
    at: float
    """Seconds of :func:`time.monotonic`."""
    noise: str = ""
    """What was counted just before, though nothing was asked of the device, in words; empty for nothing."""


class Idle:
    """What one process has seen of some counters, by the name that a peer gives to their devices."""

    def __init__(self) -> None:
        self._still: set[str] = set()

    def before(self, counters: Mapping[str, Counters]) -> dict[str, Look]:
        """Look at all of them, until none moves, or several times."""
        for _ in range(LOOKS):
            first = {name: each.read() for name, each in counters.items()}
            if not any(isinstance(count, Count) for reading in first.values() for count in reading.values()):
                return {name: Look(reading, time.monotonic()) for name, reading in first.items()}
            span = SHORT if self._still.issuperset(counters) else LONG
            time.sleep(span)
            last = {name: each.read() for name, each in counters.items()}
            noise = {name: self._noise(name, first[name], last[name], f"in {span * 1e3:g} ms before") for name in last}
            if not any(noise.values()):
                break
        return {name: Look(reading, time.monotonic(), noise[name]) for name, reading in last.items()}

    def after(self, name: str, counters: Counters, first: Look, last: Look) -> str:
        """Look for as long as the work took between two looks, at most for a long one; what was noticed, in words."""
        span = min(last.at - first.at, LONG)
        time.sleep(max(last.at + span - time.monotonic(), 0))
        return self._noise(name, last.reading, counters.read(), "afterwards")

    def disturbed(self, name: str) -> None:
        """More was counted than was asked for."""
        self._still.discard(name)

    def _noise(self, name: str, first: Reading, last: Reading, when: str) -> str:
        jobs = moved(first, last)
        if isinstance(jobs, int) and jobs:
            self._still.discard(name)
            return f"the device was not idle: it counted {jobs} {when}, which nobody here had asked for"
        self._still.add(name)
        return ""
