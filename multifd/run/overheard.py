"""What passes between two live peers, recorded for whoever must know what was asked of a device.

A tap stands between the two only where an end claims hardware, or a recording is asked for. It forwards what it
records, in the order in which it comes: neither end notices, but for the time that a copy takes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from multifd.errors import InputError, WireError
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Script
from multifd.migrate.address import UnreachableError
from multifd.migrate.capture import Capture
from multifd.migrate.crew import DeadlineError
from multifd.migrate.tap import Tap
from multifd.plan.work import Pairing
from multifd.run.means import Means

_NO_CAPTURE: Final = (InputError, WireError, UnreachableError, DeadlineError)
"""Why what was sent is no capture: it ended too early, or what should have received it was gone."""
_LONGEST: Final = 5
"""Deadlines of a request that a live cell takes at most."""


@dataclass(slots=True)
class Overheard:
    """A migration that is, or is not, recorded; senders connect to ``address``."""

    address: str
    _pairing: Pairing
    _directory: Path
    _kept: bool
    _tap: Tap | None = field(default=None)

    def capture(self, script: Script) -> Capture | None:
        """What was sent, once the sender is done; None where nobody listened, or what was sent is no capture."""
        if self._tap is None:
            return None
        pairing = self._pairing
        digest = _digest(script) if self._kept else None
        try:
            self._tap.save(
                framing=pairing.sender_framing, dialect=pairing.sender_dialect, page_size=pairing.page_size,  # type: ignore[arg-type]
                main_sync=pairing.machine.main_sync, sha256=digest,
            )  # fmt: skip
            return Capture.open(self._directory)
        except _NO_CAPTURE:
            return None


@contextmanager
def overhear(means: Means, pairing: Pairing, address: str, kept: Path | None = None) -> Iterator[Overheard]:
    """Around a migration to ``address``; what is sent is ``kept`` there, or gone afterwards."""
    directory = kept or means.stage.path("overheard")
    if kept is None and not any(peer.provenance == "hardware" for peer in means.ends(pairing).values()):
        yield Overheard(address, pairing, directory, _kept=False)
        return
    here = "tcp:127.0.0.1:0" if address.startswith("tcp:") else f"unix:{means.stage.path('tap')}"
    try:
        with Tap(here, address, directory, _LONGEST * means.deadline) as tap:
            yield Overheard(tap.address, pairing, directory, kept is not None, tap)
    finally:
        if kept is None:
            shutil.rmtree(directory, ignore_errors=True)


def _digest(script: Script) -> dict[str, str]:
    """Of the memory afterwards."""
    with GuestMemory.open(script.rounds[-1].image, writable=False) as memory:
        return memory.digest()
