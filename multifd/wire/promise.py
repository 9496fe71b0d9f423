"""What a sender's version promises of its own book-keeping, as data.

=========  =========================  ======================  ==================================================
QEMU       packet numbers             size without pages      ``ram.transferred``
=========  =========================  ======================  ==================================================
5.0-8.0    fall on no channel         stale                   packets' headers, pages as large as in memory, and
                                                              of main what is RAM
8.1        fall on no channel         stale                   nobody has measured it
8.2        fall on no channel         stale                   every byte of every connection
9.0-11.1   unique, without a gap      0                       every byte of every connection
=========  =========================  ======================  ==================================================

Sources: ``multifd_send_pages`` and ``multifd_send_sync_main`` (migration/multifd.c, QEMU 7.2: a SYNC takes the number
of the packet that still waits, and counts for another one), ``multifd_send_thread`` (migration/multifd.c, QEMU 8.1 to
11.1: 8.1 leaves headers out), ``migration_transferred_bytes`` (migration/migration-stats.c, QEMU 8.2 to 11.1). Measured
with 7.2.22, 10.0.2, 10.0.13 and 11.1.3, under ``none``, zlib and zstd, with zero pages in either place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final


class Numbers(Enum):
    """Of ``packet_num``."""

    GROWING = "none is smaller than the one before it on its channel"
    DENSE = "each one once over all channels, from 0, none left out"


class Counted(Enum):
    """What ``ram.transferred`` has in it."""

    PAGES = "packets' headers and pages as large as they are in memory, and at most all of main"
    WIRE = "every byte of every connection"


@dataclass(frozen=True, slots=True)
class Promise:
    """What always holds of what a sender sends, and of what it counts."""

    numbers: Numbers
    exact_sizes: bool
    """``next_packet_size`` is 0 where no payload follows, and no field is left from the packet before."""
    counted: Counted | None
    """None where nothing is known."""

    def without_count(self) -> Promise:
        """The same of a sender whose count is of something else."""
        return replace(self, counted=None)


_SINCE: Final = (
    ((5, 0), Promise(Numbers.GROWING, exact_sizes=False, counted=Counted.PAGES)),
    ((8, 1), Promise(Numbers.GROWING, exact_sizes=False, counted=None)),
    ((8, 2), Promise(Numbers.GROWING, exact_sizes=False, counted=Counted.WIRE)),
    ((9, 0), Promise(Numbers.DENSE, exact_sizes=True, counted=Counted.WIRE)),
)
"""From which version each holds."""

STRICT: Final = _SINCE[-1][1]
"""What the newest QEMU promises."""


def promise_of(version: tuple[int, ...]) -> Promise:
    """That of a QEMU of this version, 5.0 or later."""
    return [promise for since, promise in _SINCE if since <= version[:2]][-1]
