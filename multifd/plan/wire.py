"""The suite ``wire``: by capture, every encoder that can with every decoder that can, in every framing.

Pairings that must end identical are the captured rows of the covering array. One that cannot is set up as by whoever
does not know better, with content of every kind: it must be refused, for the reason that the oracle gives. Beside
these, in the suite ``negotiation``, there is a refusal for each rule that can decide for a framing and a decoder.

The user's own content is captured with every pairing that must end identical: what is refused is so for no reason of
content.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from multifd.errors import InputError
from multifd.framing.model import FRAMINGS
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.memory.blocks import BLOCKS, UNIT
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able, pairing_cell
from multifd.plan.reference import of_accelerators, reference
from multifd.plan.space import CAPTURE, PAGE_SIZES, Space
from multifd.plan.work import USUAL_BLOCKS

USER: Final = "user"
_SMALLEST, *_LARGER = PAGE_SIZES


def memory(size: int) -> int:
    """Bytes of a guest, as the user gave them; raises InputError where that cannot be."""
    if size % UNIT or size < 3 * UNIT:
        raise InputError(f"--memory {size}: expected a multiple of 512K, at least 1536K")
    return size


def refused(line_up: LineUp, space: Space, size: int) -> Iterator[PlannedCell]:
    """Pairings that must be refused, and those of peers that do not take part."""
    within = list(_within(line_up, space, size))
    yield from within
    decided = {_decision(cell) for cell in within}
    for cell in itertools.chain(_across(space, size), _larger(space, size)):
        if _decision(cell) not in decided:
            decided.add(_decision(cell))
            yield cell


def of_user(space: Space, size: int) -> Iterator[PlannedCell]:
    """The user's content, with every pairing that must end identical."""
    for name, sender, receiver in _pairings(space):
        if space.fits(name, sender, receiver, _SMALLEST):
            yield _capture(sender, receiver, name, size, corpus=USER)


def _within(line_up: LineUp, space: Space, size: int) -> Iterator[PlannedCell]:
    """Both ends in one framing, with the page size of most guests."""
    for name, sender, receiver in itertools.product(FRAMINGS, line_up.senders(), line_up.receivers()):
        if not able(sender, receiver, name, name):
            continue
        if not space.fits(name, sender, receiver, _SMALLEST):
            yield _capture(sender, receiver, name, size)


def _larger(space: Space, size: int) -> Iterator[PlannedCell]:
    """What fits with small pages and does not with larger ones."""
    for (name, sender, receiver), page_size in itertools.product(_pairings(space), _LARGER):
        small, large = (space.fits(name, sender, receiver, each) for each in (_SMALLEST, page_size))
        if small and not large and able(sender, receiver, name, name, page_size):
            yield _capture(sender, receiver, name, size, page_size=page_size)


def _across(space: Space, size: int) -> Iterator[PlannedCell]:
    """The two ends in different framings."""
    for sent, read in itertools.permutations(FRAMINGS, 2):
        plain = [peer for peer in space.senders if peer.name == reference(sent)]
        senders = [*plain, *of_accelerators(space.senders, sent, "sender")]
        for sender, receiver in itertools.product(senders, space.receivers):
            if able(sender, receiver, sent, read):
                cell = _capture(sender, receiver, (sent, read), size)
                if cell.prediction.outcome == "rejected":
                    yield cell


def _pairings(space: Space) -> Iterator[tuple[str, LineUpPeer, LineUpPeer]]:
    return itertools.product(FRAMINGS, space.senders, space.receivers)


def _decision(cell: PlannedCell) -> tuple[str, str, str]:
    """Which rule decides for which framing and decoder."""
    return cell.prediction.rule, cell.pairing.receiver_framing, cell.pairing.receiver


def _capture(
    sender: LineUpPeer, receiver: LineUpPeer, framings: str | tuple[str, str], size: int, **special: str | int
) -> PlannedCell:
    suite = "wire" if isinstance(framings, str) else "negotiation"
    return pairing_cell(suite, sender, receiver, framings, CAPTURE, BLOCKS[USUAL_BLOCKS].sizes(size), **special)
