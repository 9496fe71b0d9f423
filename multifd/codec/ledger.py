"""What a codec over an accelerator's library did where, added up over the threads that share it."""

from __future__ import annotations

import threading

from multifd.framing.coder import Tally
from multifd.result.terms import Unit


class Ledger:
    """Sums that only grow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._device = self._software = self._busy = self._faults = 0

    def add(self, *, device: int = 0, software: int = 0, busy: int = 0, faults: int = 0) -> None:
        """More of each; the words are those of :class:`~multifd.framing.coder.Tally`."""
        with self._lock:
            self._device += device
            self._software += software
            self._busy += busy
            self._faults += faults

    def tally(self, source: str, unit: Unit, *, counts: bool) -> Tally:
        """The sums so far; without ``counts`` what the device did is not among them."""
        with self._lock:
            return Tally(
                source=source,
                unit=unit,
                device=self._device if counts else None,
                software=self._software,
                busy=self._busy,
                faults=self._faults,
            )
