"""Faults of a sender: one field of one packet is wrong, in every dialect."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import pairing_cell
from multifd.plan.reference import reference_pair
from multifd.wire.dialect import DIALECTS
from multifd.wire.fault import FAULTS

_SIZES: Final = {"pc.ram": 512 << 10, "vga.vram": 64 << 10}


def fault_plan(line_up: LineUp) -> Iterator[PlannedCell]:
    """Every fault in every dialect."""
    pair = reference_pair(line_up, "zlib", "zlib")
    for spoken, name in itertools.product(DIALECTS, FAULTS):
        yield pairing_cell("negotiation", *pair, "zlib", "fault", _SIZES, dialects=spoken, fault=name)
