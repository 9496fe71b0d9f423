"""How long a process is waited for: who computes is slow, who does nothing at its deadline hangs.

On a busy host half a minute of wall clock is nothing. At the deadline it is a hang if no thread of those that are
waited for runs or wants to, and their CPU time does not grow; as long as that is otherwise, waiting goes on, up to
:data:`MOST` deadlines, at which an endless loop ends too. Looks are counted, not seconds: on a busy host they come
later. A process on another host, behind ``ssh``, cannot be seen, and has its deadline only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from multifd.process.threads import Look

MOST: Final = 5
"""Deadlines that a process is given as long as it computes."""
LOOKS: Final = 5
"""Looks in a row at which nothing has happened since the one before: a hang, if the deadline has come."""
_EVERY: Final = 0.1
"""Seconds between two looks."""

_SLOWLY: Final = 8 << 20
"""Bytes a second that the slowest encoder does on a busy host."""


def grown(seconds: float, size: int) -> float:
    """A deadline for what handles ``size`` bytes: the more they are, the longer it takes."""
    return seconds + size / _SLOWLY


class Patience:
    """Waits for some processes, from now on; ``seconds`` is their deadline, ``whom`` their ids at a moment.

    Ask :meth:`pause` how long to wait for whatever is to come, and again if it has not come, until that is None.
    """

    def __init__(self, seconds: float, whom: Callable[[], Iterable[int]]) -> None:
        self._seconds = seconds
        self._whom = whom
        self._began = time.monotonic()
        self._next = self._began + max(0.0, seconds - LOOKS * _EVERY)
        # Also where the deadline is shorter than the looks take.
        self._last = self._began + MOST * seconds + LOOKS * _EVERY
        self._seen: Look | None = None
        self._still = 0
        self._computed = False

    @property
    def within(self) -> str:
        """How long was waited when it was a hang, in words: ``within 30 s``."""
        return f"within {MOST * self._seconds:g} s of computing" if self._computed else f"within {self._seconds:g} s"

    def pause(self) -> float | None:
        """Seconds to wait now, None if it is a hang."""
        now = time.monotonic()
        if now >= self._next:
            self._look()
            self._next = now + _EVERY
        if now >= self._began + self._seconds and self._still >= LOOKS:
            return None
        if now >= self._last:
            self._computed = True
            return None
        return min(self._next, self._last) - now

    def _look(self) -> None:
        look, before = Look.at(self._whom()), self._seen
        still = before is not None and not look.awake and look.ticks == before.ticks
        self._still, self._seen = self._still + 1 if still else 0, look
