"""The suite ``integrity``: whatever the content and the way, all of the memory arrives.

Only pairings that must end identical take part, each in its turn, so that every codec gets some of everything.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from multifd.framing.model import FRAMINGS, METHOD_FRAMINGS, framing
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.memory.corpus import CORPORA
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able, pairing_cell, skip
from multifd.plan.scenario import SCENARIOS
from multifd.wire.dialect import DIALECTS

PERIODS: Final = (4096, 4097, 32768, 32769)
"""The periods that every framing sees; the others go by one framing of each kind."""
_SIZES: Final = {"pc.ram": 1 << 20, "vga.vram": 256 << 10}
_LARGEST_PAGE: Final = 65536

Pair = tuple[LineUpPeer, LineUpPeer]


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to migrate: a scenario, and what of it is not as usual."""

    scenario: str
    changes: dict[str, Any]


def integrity_plan(line_up: LineUp, *, user_corpus: bool) -> Iterator[PlannedCell]:
    """Every framing in every way, its pairings taking turns."""
    turn = itertools.count()
    for name in FRAMINGS:
        pairs = _able_pairs(line_up, name)
        if not pairs:
            continue
        for way in _ways(name, user_corpus=user_corpus):
            pair = pairs[next(turn) % len(pairs)]
            yield pairing_cell("integrity", *pair, name, way.scenario, _SIZES, **way.changes)
        for pair in _every_sender(pairs):
            yield pairing_cell("integrity", *pair, name, "mutating", _SIZES)


def _ways(name: str, *, user_corpus: bool) -> Iterator[_Way]:
    for corpus in _corpora(name, user_corpus=user_corpus):
        yield _Way("whole", {"corpus": corpus})
    for page_size in (16384, _LARGEST_PAGE):
        yield _Way("whole", {"page_size": page_size})
        yield _Way("live", {"page_size": page_size})
    for channels in (1, 3, 16):
        yield _Way("live", {"channels": channels})
    if name in ("none", "zlib"):
        yield _Way("live", {"channels": 255})
    for spoken in _speaking(name):
        for scenario in SCENARIOS.values():
            if scenario.any_dialect:
                yield _Way(scenario.name, {"dialects": spoken})


def _corpora(name: str, *, user_corpus: bool) -> Iterable[str]:
    """All corpora for the methods; for the proposals the kinds of content and the periods that matter most."""
    everything = [corpus for corpus in CORPORA.values() if corpus.name != "mixed"]
    if name not in METHOD_FRAMINGS:
        everything = [corpus for corpus in everything if corpus.period in (None, *PERIODS)]
    names = [corpus.name for corpus in everything]
    return [*names, "user"] if user_corpus else names


def _speaking(name: str) -> list[str]:
    """Dialects that have the method under whose flag the framing travels."""
    return [spoken.name for spoken in DIALECTS.values() if framing(name).travels_as in spoken.flags]


def _able_pairs(line_up: LineUp, name: str) -> list[Pair]:
    """Pairings that must end identical; the same in whatever order peers are."""
    senders, receivers = (sorted(peers, key=_name) for peers in (line_up.senders(), line_up.receivers()))
    return [pair for pair in itertools.product(senders, receivers) if skip(*pair) is None and _arrives(pair, name)]


def _arrives(pair: Pair, name: str) -> bool:
    if not able(*pair, name, name, _LARGEST_PAGE):
        return False
    cell = pairing_cell("integrity", *pair, name, "whole", _SIZES, page_size=_LARGEST_PAGE)
    return cell.prediction.outcome == "identical"


def _every_sender(pairs: Sequence[Pair]) -> list[Pair]:
    """Every encoder once: what matters is how it reads pages that change."""
    return list({sender.name: (sender, receiver) for sender, receiver in pairs}.values())


def _name(peer: LineUpPeer) -> str:
    return peer.name
