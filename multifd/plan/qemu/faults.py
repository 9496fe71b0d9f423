"""What a receiver must notice, or is known not to: its own recording, with a fault in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.faults import NOISE
from multifd.plan.qemu.cell import qemu_cell
from multifd.wire.fault import FAULTS, Place

_AMID: Final = Place(packet="middle")
"""Neither the stream nor a round of a QEMU begins or ends there."""
_RECORDED: Final = (
    "init-magic", "init-version", "init-uuid", "init-id", "init-id-twice", "init-reserved", "magic", "version",
    "flags-unknown-method", "flags-all", "flags-ignored-bit", "pages-alloc", "normal-pages", "packet-size", "number",
    "ramblock", "offset", "offset-at-end",
    *(
        str(FAULTS[name].at(_AMID))
        for name in (
            "offset-unaligned", "offsets-swapped", "offset-twice", "zero-with-size", "size-one-less", "lost",
            "duplicated", "bit-inside", "payload-cut", "sync-lost", "sync-twice", "ends-in-payload",
        )
    ),
)  # fmt: skip
"""Of each kind what is most telling; each costs a destination of its own."""


def recorded_faults(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every QEMU."""
    for qemu, fault in itertools.product(line_up.qemus, _RECORDED):
        yield qemu_cell(qemu, qemu, "zlib", "zlib", scenario="recorded-fault", fault=fault, corpus=NOISE)
