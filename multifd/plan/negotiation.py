"""The suite ``negotiation``: there is none on the wire, so everything meets everything, live.

Whoever stands for a framing takes turns: the codec that has nothing of its own to hide, and those of the accelerators.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from multifd.framing.model import FRAMINGS
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.memory.blocks import BLOCKS
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import pairing_cell, skip
from multifd.plan.reference import reference_pair, stand_ins
from multifd.plan.space import own_method
from multifd.plan.work import USUAL_BLOCKS
from multifd.wire.dialect import DIALECTS, LATEST, ZeroPages, dialect

_SIZES: Final = BLOCKS[USUAL_BLOCKS].sizes(512 << 10)

Pair = tuple[LineUpPeer, LineUpPeer]


def negotiation_plan(line_up: LineUp) -> Iterator[PlannedCell]:
    """Every method of every dialect with every other, then every framing with every other."""
    turns = _Turns(line_up)
    yield from _methods(line_up, turns)
    yield from _framings(line_up, turns)


class _Turns:
    """Peers that can stand for a framing, one after the other."""

    def __init__(self, line_up: LineUp) -> None:
        self._senders = [peer for peer in line_up.senders() if skip(peer) is None]
        self._receivers = [peer for peer in line_up.receivers() if skip(peer) is None]
        self._turn = itertools.count()

    def pair(self, sent: str, read: str) -> Pair | None:
        """The next two; None where nobody but the reference can."""
        senders, receivers = stand_ins(self._senders, sent, "sender"), stand_ins(self._receivers, read, "receiver")
        if not senders or not receivers or len(senders) + len(receivers) == 2:
            return None
        turn = next(self._turn)
        return senders[turn % len(senders)], receivers[turn // len(senders) % len(receivers)]

    def own(self, method: str) -> list[Pair]:
        """Accelerators' codecs with each other under the method that QEMU runs on them."""
        senders, receivers = (
            [peer for peer in peers if own_method(peer) == method and "[" not in peer.name]
            for peers in (self._senders, self._receivers)
        )
        return list(itertools.product(senders, receivers))


def _methods(line_up: LineUp, turns: _Turns) -> Iterator[PlannedCell]:
    speakers = [(spoken.name, method) for spoken in DIALECTS.values() for method in spoken.methods]
    for (sent, method), (received, other) in itertools.product(speakers, speakers):
        reference, dialects = reference_pair(line_up, method, other), (sent, received)
        pairs = [reference, *(turns.own(method) if method == other else [])]
        if method != other:
            pairs = [turns.pair(method, other) or reference]
        scenarios = ["live"]
        if method == other and _new_to_old(sent, received):
            scenarios.append("legacy-zero-pages")
        for pair, scenario in itertools.product(pairs, scenarios):
            yield _cell(pair, (method, other), scenario, dialects)


def _new_to_old(sent: str, received: str) -> bool:
    return dialect(sent).zero_pages is ZeroPages.PACKET and dialect(received).zero_pages is ZeroPages.MAIN


def _framings(line_up: LineUp, turns: _Turns) -> Iterator[PlannedCell]:
    """In the latest dialect, beyond two methods, which have met."""
    methods = DIALECTS[LATEST].methods
    for sent, read in itertools.product(FRAMINGS, FRAMINGS):
        if sent in methods and read in methods:
            continue
        reference = reference_pair(line_up, sent, read)
        yield _cell(reference, (sent, read))
        other = turns.pair(sent, read)
        if other is not None and other != reference:
            yield _cell(other, (sent, read))


def _cell(
    pair: Pair, framings: tuple[str, str], scenario: str = "live", dialects: tuple[str, str] = (LATEST, LATEST)
) -> PlannedCell:
    return pairing_cell("negotiation", *pair, framings, scenario, _SIZES, dialects=dialects)
