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

from multifd.framing.model import FRAMINGS
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.memory.blocks import BLOCKS
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able, pairing_cell, reads, sends
from multifd.plan.reference import of_accelerators, reference
from multifd.plan.space import CAPTURE, PAGE_SIZES, Space
from multifd.plan.work import USUAL_BLOCKS

USER: Final = "user"
_SMALLEST: Final = PAGE_SIZES[0]
_Try = tuple[LineUpPeer, LineUpPeer, tuple[str, str], int]
"""A sender and a receiver, the framing of each, the page size."""


def refused(line_up: LineUp, space: Space, size: int) -> Iterator[PlannedCell]:
    """Pairings that must be refused, and those of peers that do not take part."""
    within = list(_within(line_up, space, size))
    yield from within
    decided = {_decision(cell.prediction, cell.pairing.receiver_framing, cell.pairing.receiver) for cell in within}
    known: dict[object, Prediction] = {}
    for sender, receiver, (sent, read), page_size in itertools.chain(_across(space), _larger(space)):
        # Whoever declares the same is answered the same, but for names.
        same = sender.encoder, receiver.decoder, sent, read, page_size
        if same not in known:
            known[same] = _capture(sender, receiver, (sent, read), size, page_size=page_size).prediction
        decision = _decision(known[same], read, receiver.name)
        if known[same].outcome == "rejected" and decision not in decided:
            decided.add(decision)
            yield _capture(sender, receiver, (sent, read), size, page_size=page_size)


def of_user(space: Space, size: int) -> Iterator[PlannedCell]:
    """The user's content, with every pairing that must end identical."""
    for name, sender, receiver, _ in space.where(space.codecs[..., :1]):
        yield _capture(sender, receiver, (name, name), size, corpus=USER)


def _within(line_up: LineUp, space: Space, size: int) -> Iterator[PlannedCell]:
    """Both ends in one framing, with the page size of most guests."""
    for name in FRAMINGS:
        senders = [peer for peer in line_up.senders() if sends(peer, name)]
        receivers = [peer for peer in line_up.receivers() if reads(peer, name)]
        for sender, receiver in itertools.product(senders, receivers):
            if not space.fits(name, sender, receiver, _SMALLEST):
                yield _capture(sender, receiver, (name, name), size)


def _larger(space: Space) -> Iterator[_Try]:
    """What fits with small pages and does not with larger ones."""
    for name, sender, receiver, page_size in space.where(space.codecs[..., :1] & ~space.codecs):
        if able(sender, receiver, name, name, page_size):
            yield sender, receiver, (name, name), page_size


def _across(space: Space) -> Iterator[_Try]:
    """The two ends in different framings."""
    for sent, read in itertools.permutations(FRAMINGS, 2):
        plain = [peer for peer in space.senders if peer.name == reference(sent)]
        senders = [*plain, *of_accelerators(space.senders, sent, "sender")]
        for sender, receiver in itertools.product(senders, space.receivers):
            if able(sender, receiver, sent, read):
                yield sender, receiver, (sent, read), _SMALLEST


def _decision(prediction: Prediction, read: str, receiver: str) -> tuple[str, str, str]:
    """Which rule decides for which framing and decoder."""
    return prediction.rule, read, receiver


def _capture(
    sender: LineUpPeer, receiver: LineUpPeer, framings: tuple[str, str], size: int, **special: str | int
) -> PlannedCell:
    suite = "wire" if len(set(framings)) == 1 else "negotiation"
    return pairing_cell(suite, sender, receiver, framings, CAPTURE, BLOCKS[USUAL_BLOCKS].sizes(size), **special)
