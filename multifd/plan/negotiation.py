"""The suite ``negotiation``: there is none on the wire, so everything meets everything, live.

For the methods of accelerators their codecs stand, in turns; for the proposals those as well as the reference.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from multifd.accelerator import by_method
from multifd.framing.model import FRAMINGS
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.memory.blocks import BLOCKS
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import pairing_cell
from multifd.plan.reference import of_accelerators, reference_pair
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
    """Accelerators' codecs that can stand for a framing, one after the other."""

    def __init__(self, line_up: LineUp) -> None:
        self._line_up = line_up
        self._senders = [peer for peer in line_up.senders() if peer.skip is None]
        self._receivers = [peer for peer in line_up.receivers() if peer.skip is None]
        self._turn = itertools.count()

    def pair(self, sent: str, read: str) -> Pair:
        """The next two; the reference for an end that no accelerator's codec can be."""
        sender, receiver = reference_pair(self._line_up, sent, read)
        turn = next(self._turn)
        senders = of_accelerators(self._senders, sent, "sender") or [sender]
        receivers = of_accelerators(self._receivers, read, "receiver") or [receiver]
        return senders[turn % len(senders)], receivers[turn // len(senders) % len(receivers)]


def _methods(line_up: LineUp, turns: _Turns) -> Iterator[PlannedCell]:
    speakers = [(spoken.name, method) for spoken in DIALECTS.values() for method in spoken.methods]
    for (sent, method), (received, other) in itertools.product(speakers, speakers):
        accelerated = by_method(method) is not None or by_method(other) is not None
        pair = turns.pair(method, other) if accelerated else reference_pair(line_up, method, other)
        scenarios = ["live"]
        if method == other and _new_to_old(sent, received):
            scenarios.append("legacy-zero-pages")
        for scenario in scenarios:
            yield _cell(pair, (method, other), scenario, (sent, received))


def _new_to_old(sent: str, received: str) -> bool:
    return dialect(sent).zero_pages is ZeroPages.PACKET and dialect(received).zero_pages is ZeroPages.MAIN


def _framings(line_up: LineUp, turns: _Turns) -> Iterator[PlannedCell]:
    """In the latest dialect, beyond two methods, which have met."""
    methods = DIALECTS[LATEST].methods
    for sent, read in itertools.product(FRAMINGS, FRAMINGS):
        if sent in methods and read in methods:
            continue
        reference = reference_pair(line_up, sent, read)
        for pair in {(s.name, r.name): (s, r) for s, r in (reference, turns.pair(sent, read))}.values():
            yield _cell(pair, (sent, read))


def _cell(
    pair: Pair, framings: tuple[str, str], scenario: str = "live", dialects: tuple[str, str] = (LATEST, LATEST)
) -> PlannedCell:
    return pairing_cell("negotiation", *pair, framings, scenario, _SIZES, dialects=dialects)
