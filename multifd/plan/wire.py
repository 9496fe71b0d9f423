"""The suite ``wire``: every encoder x every decoder x every framing, by capture."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from multifd.errors import InputError
from multifd.framing.model import FRAMINGS
from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able, pairing_cell


def wire_plan(line_up: LineUp, memory: int, *, user_corpus: bool) -> Iterator[PlannedCell]:
    """Every pairing that can be tried, of guests with ``memory`` bytes; raises InputError where that cannot be."""
    sizes = _sizes(memory)
    corpora = ("mixed", "user") if user_corpus else ("mixed",)
    for name, sender, receiver in itertools.product(FRAMINGS, line_up.senders(), line_up.receivers()):
        if able(sender, receiver, name, name):
            for corpus in corpora:
                yield pairing_cell("wire", sender, receiver, name, "capture", sizes, corpus=corpus)


def _sizes(memory: int) -> Mapping[str, int]:
    """Two RAM blocks of ``memory`` bytes together."""
    unit = 512 << 10
    if memory % unit or memory < 4 * unit:
        raise InputError(f"--memory {memory}: expected a multiple of 512K, at least 2M")
    return {"pc.ram": memory - unit, "vga.vram": unit}
