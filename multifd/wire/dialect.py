"""Dialects: the generations of the multifd wire, as data.

A dialect is what two QEMUs must agree on without ever saying so. Sources: ``migration/multifd.h`` (QEMU 5.0 to
10.0) for flags and mask; ``migration/multifd.c`` (QEMU 5.0 to 10.0, ``multifd_send_sync_main``) for SYNC;
``migration/multifd-zero-page.c`` (QEMU 9.0 to 10.0) and before ``migration/ram.c`` (QEMU 5.0 to 8.2) for zero pages;
the latter also for the flush word (0x200, machine types of QEMU 8.1 and later); the seed patch
"Introduce unimplemented 'qatzip' compression method" for ``rfc-2023``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from multifd.errors import InputError
from multifd.wire.wording import BEFORE_9_0, FROM_9_0, FROM_9_2, Wording

FLAG_SYNC: Final = 1
"""The packet ends an epoch on its channel (``MULTIFD_FLAG_SYNC``)."""


class ZeroPages(Enum):
    """Where a sender puts pages that hold only zeros."""

    MAIN = "main"
    """A word ``offset | 0x02`` on the main channel; packets have no zero pages."""
    PACKET = "packet"
    """Offsets after the normal ones in the packet header; receivers of this kind read both places."""
    NORMAL = "normal"
    """Among the others, with content like any of them; no dialect's own way."""


DETECTION: Final[Mapping[str, ZeroPages]] = MappingProxyType(
    {"legacy": ZeroPages.MAIN, "multifd": ZeroPages.PACKET, "none": ZeroPages.NORMAL}
)
"""Values of ``zero-page-detection`` (``ZeroPageDetection``, qapi/migration.json, QEMU 9.0)."""


class SyncCarrier(Enum):
    """Which packet carries the SYNC flag."""

    DATA = "data"
    """The round's last data packet of the channel; an empty one may follow with stale fields (QEMU < 9.0)."""
    OWN = "own"
    """A packet of its own, flags exactly SYNC, all counts zero (QEMU >= 9.0)."""


class MainSync(Enum):
    """What on the main channel stands for a SYNC on every multifd channel."""

    EOS = "eos"
    """Each RAM section's end-of-section word 0x10 (``multifd-flush-after-each-section``)."""
    FLUSH = "flush"
    """The word 0x200 (``RAM_SAVE_FLAG_MULTIFD_FLUSH``), once per round."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One generation of the wire."""

    name: str
    order: int
    """Age: of two dialects the smaller order is the older one, whose machine type both ends share."""
    versions: str
    """The QEMU releases that speak it."""
    flags: Mapping[str, int]
    """Method name to its flag; a method that is missing does not exist in this dialect."""
    mask: int
    """``MULTIFD_FLAG_COMPRESSION_MASK``: the bits that a receiver looks at before it compares with its flag."""
    zero_pages: ZeroPages
    sync: SyncCarrier
    main_sync: MainSync
    device_state: int | None
    """Flag of a device-state packet, or None where the dialect has none."""
    wording: Wording

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods of the dialect in the order of their flags."""
        return tuple(self.flags)

    def flag(self, method: str) -> int:
        """The flag bits of a method; raises :class:`InputError` where the dialect has no such method."""
        try:
            return self.flags[method]
        except KeyError:
            raise InputError(
                f"method {method!r} does not exist in dialect {self.name}; expected one of {', '.join(self.flags)}"
            ) from None

    def method_of(self, flags: int) -> str | None:
        """The method that a receiver of this dialect takes these packet flags for, None for no method."""
        masked = flags & self.mask
        return next((name for name, flag in self.flags.items() if flag == masked), None)


def _dialect(
    name: str,
    order: int,
    versions: str,
    flags: dict[str, int],
    mask: int,
    zero_pages: ZeroPages,
    sync: SyncCarrier,
    main_sync: MainSync,
    wording: Wording,
    device_state: int | None = None,
) -> Dialect:
    return Dialect(
        name, order, versions, MappingProxyType(flags), mask, zero_pages, sync, main_sync, device_state, wording
    )


_BASE = {"none": 0 << 1, "zlib": 1 << 1, "zstd": 2 << 1}
_9_1 = {**_BASE, "qpl": 4 << 1, "uadk": 8 << 1}
_9_2 = {**_9_1, "qatzip": 16 << 1}

DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        d.name: d
        for d in (
            _dialect(
                "qemu-5.0", 0, "5.0-8.2", _BASE, 7 << 1,
                ZeroPages.MAIN, SyncCarrier.DATA, MainSync.EOS, BEFORE_9_0,
            ),
            _dialect(
                "rfc-2023", 1, "8.2 with the RFC series of 2023", {**_BASE, "qatzip": 3 << 1}, 7 << 1,
                ZeroPages.MAIN, SyncCarrier.DATA, MainSync.FLUSH, BEFORE_9_0,
            ),
            _dialect(
                "qemu-9.0", 2, "9.0", _BASE, 7 << 1,
                ZeroPages.PACKET, SyncCarrier.OWN, MainSync.FLUSH, FROM_9_0,
            ),
            _dialect(
                "qemu-9.1", 3, "9.1", _9_1, 0xF << 1,
                ZeroPages.PACKET, SyncCarrier.OWN, MainSync.FLUSH, FROM_9_0,
            ),
            _dialect(
                "qemu-9.2", 4, "9.2", _9_2, 0x1F << 1,
                ZeroPages.PACKET, SyncCarrier.OWN, MainSync.FLUSH, FROM_9_2,
            ),
            _dialect(
                "qemu-10.0", 5, "10.0-11.1", _9_2, 0x1F << 1,
                ZeroPages.PACKET, SyncCarrier.OWN, MainSync.FLUSH, FROM_9_2, device_state=64,
            ),
        )
    }
)  # fmt: skip
"""All dialects by name, oldest first."""

LATEST: Final[str] = max(DIALECTS.values(), key=lambda each: each.order).name
"""The dialect of everything that is not about dialects."""


def dialect(name: str) -> Dialect:
    """The dialect of that name; raises :class:`InputError` naming the known ones."""
    try:
        return DIALECTS[name]
    except KeyError:
        raise InputError(f"dialect {name!r} is unknown; expected one of {', '.join(DIALECTS)}") from None
