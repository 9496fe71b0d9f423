"""The suite ``integrity``: whatever the content and the way, all of the memory arrives.

The live rows of the covering array, and beside them what is no combination: every period, pages that change while they
are encoded, and as many channels as there can be.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from multifd.framing.model import FRAMINGS, METHOD_FRAMINGS
from multifd.lineup.peers import LineUpPeer
from multifd.memory.blocks import BLOCKS
from multifd.memory.corpus import CORPORA
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import pairing_cell
from multifd.plan.space import CONTENTS, Space
from multifd.plan.work import USUAL_BLOCKS

LIVE: Final = 512 << 10
"""Bytes of a guest that migrates live."""
_SIZES: Final = BLOCKS[USUAL_BLOCKS].sizes(LIVE)
_MOST_CHANNELS: Final = 255
_PLAIN: Final = ("none", "zlib")
"""Methods whose most channels are tried: what they cost is theirs, not the codec's."""

Pair = tuple[LineUpPeer, LineUpPeer]


def beyond_combination(space: Space) -> Iterator[PlannedCell]:
    """What is tried with one pairing of each framing, which take turns."""
    turn = itertools.count()
    any_page_size = np.asarray(space.codecs.all(3, keepdims=True))
    found: dict[str, list[Pair]] = {name: [] for name in FRAMINGS}
    for name, sender, receiver, _ in space.where(any_page_size):
        found[name].append((sender, receiver))
    for name, pairs in found.items():
        if not pairs:
            continue
        if name in METHOD_FRAMINGS:
            for corpus in (each for each in CORPORA if each not in CONTENTS):
                yield _cell(pairs[next(turn) % len(pairs)], name, "whole", corpus=corpus)
        if name in _PLAIN:
            yield _cell(pairs[next(turn) % len(pairs)], name, "live", channels=_MOST_CHANNELS)
        plain = {space.senders[place].name for place in space.plain("sender")}
        for pair in {sender.name: (sender, receiver) for sender, receiver in pairs if sender.name in plain}.values():
            yield _cell(pair, name, "mutating")


def _cell(pair: Pair, name: str, scenario: str, **special: Any) -> PlannedCell:
    return pairing_cell("integrity", *pair, name, scenario, _SIZES, **special)
