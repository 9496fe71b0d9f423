"""What a receiver must notice, or is known not to: its own recording, with a fault in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from multifd.lineup.peers import LineUp, QemuPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.faults import NOISE
from multifd.plan.qemu.cell import qemu_cell
from multifd.wire.dialect import SyncCarrier
from multifd.wire.fault import FAULTS, Place

_USUAL: Final = (
    "init-magic", "init-version", "init-uuid", "init-id", "init-id-twice", "init-reserved", "init-lost", "ends-in-init",
    "magic", "version", "flags-unknown-method", "flags-all", "flags-ignored-bit", "pages-alloc", "normal-pages",
    "packet-size", "number", "ramblock", "offset", "offset-at-end",
)  # fmt: skip
"""Of an init packet and of a header whatever comes before and after."""
_AMID: Final = Place(packet="middle")
"""Neither the stream nor a round of a QEMU begins or ends there."""
_LAST: Final = Place(round=2, packet="last")
"""Pages that were sent before; behind them is the last SYNC, and nothing more."""

_AMIDST: Final[Mapping[str, tuple[str, ...]]] = {
    "zlib": (
        "flags-no-method", "flags-device-state", "normal-one-more", "normal-one-less", "normal-none", "zero-pages",
        "zero-with-size", "size-one-less", "size-zero", "ramblock-empty", "ramblock-endless", "ramblock-other",
        "offset-unaligned", "offsets-swapped", "offset-twice", "lost", "duplicated", "other-channel", "behind-sync",
        "bit-first", "bit-inside", "bit-last", "payload-cut", "payload-short", "payload-garbage", "stream-ended",
        "sync-lost", "sync-twice", "sync-twice-everywhere", "ends-in-header", "ends-in-payload", "device-state",
        "device-state-huge",
    ),
    "zstd": (
        "normal-one-less", "zero-with-size", "size-one-less", "packet-size", "lost", "duplicated", "bit-inside",
        "payload-cut", "payload-garbage", "stream-ended",
    ),
    "none": ("zero-with-size", "packet-size", "offset-unaligned", "offsets-swapped", "lost", "bit-inside"),
}  # fmt: skip
"""Of a packet in the middle by method what is most telling of each kind; each costs a destination of its own.

Under ``none`` QEMU 7.2 sends the last page of nearly every packet again in the next one, which repairs what is wrong.
"""
_AT_THE_END: Final = (
    "zero-one-less", "zero-with-size", "offsets-swapped", "lost", "duplicated", "behind-sync", "bit-inside",
    "ends-between",
)  # fmt: skip
"""Of the last packet with pages, where another packet carries the SYNC."""


def recorded_faults(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every QEMU."""
    for qemu in line_up.qemus:
        for method, fault in _faults(qemu):
            yield qemu_cell(qemu, qemu, method, method, scenario="recorded-fault", fault=fault, corpus=NOISE)


def _faults(qemu: QemuPeer) -> Iterator[tuple[str, str]]:
    """Methods, and faults as they are written."""
    yield from (("zlib", fault) for fault in _USUAL)
    own = qemu.facts.dialect.sync is SyncCarrier.OWN
    for method, names in _AMIDST.items():
        if method in qemu.methods and (own or method != "none"):
            yield from ((method, str(FAULTS[name].at(_AMID))) for name in names)
    if own:
        yield from (("zlib", str(FAULTS[name].at(_LAST))) for name in _AT_THE_END)
