"""The space of migrations between peers of ours: which factors there are, their values, and what can be combined.

What can be combined follows from the oracle: a combination is feasible if memory arrives, or a hazard is demonstrated.
Two relations decide, which share the framing: which codecs understand each other (framing, sender, receiver, page size)
and which generations do (framing, both dialects, scenario). All other factors go with everything.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from multifd.accelerator import by_name
from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.memory.blocks import BLOCKS, UNIT
from multifd.memory.corpus import CORPORA
from multifd.oracle.predict import predict
from multifd.plan.covering import Row
from multifd.plan.pairings import able, pairing, question
from multifd.plan.plain import plain
from multifd.plan.scenarios.table import SCENARIOS
from multifd.plan.work import USUAL_BLOCKS, Pairing
from multifd.result.record import Outcome, Role
from multifd.wire.dialect import DIALECTS, ZeroPages, dialect

PERIODS: Final = (4096, 4097, 32768, 32769)
"""The periods that take part; the others go by one cell for each method."""
SWEEP: Final = "sweep"

CAPTURE: Final = "capture"
SCENARIO_NAMES: Final = tuple(scenario.name for scenario in SCENARIOS.values() if scenario.combines)
CONTENTS: Final = tuple(corpus.name for corpus in CORPORA.values() if corpus.period in (None, *PERIODS))
PAGE_SIZES: Final = (4096, 16384, 65536)
CHANNELS: Final = (1, 2, 3, 16)
FILLS: Final = ("full", "single", "few", SWEEP)


class Factor(IntEnum):
    """A factor, by its place in a row."""

    FRAMING = 0
    SENDER = 1
    RECEIVER = 2
    PAGE_SIZE = 3
    SENDER_DIALECT = 4
    RECEIVER_DIALECT = 5
    SCENARIO = 6
    CONTENT = 7
    CHANNELS = 8
    BLOCKS = 9
    FILL = 10

    @property
    def words(self) -> str:
        """As people call it."""
        return self.name.lower().replace("_", " ")


_CODECS: Final = (Factor.FRAMING, Factor.SENDER, Factor.RECEIVER, Factor.PAGE_SIZE)
_GENERATIONS: Final = (Factor.FRAMING, Factor.SENDER_DIALECT, Factor.RECEIVER_DIALECT, Factor.SCENARIO)

Relation = NDArray[np.bool_]


class Space:
    """Of a line-up, without peers that the profile skips. How probes ended changes nothing: the plan stays one."""

    def __init__(self, line_up: LineUp) -> None:
        self.senders = [peer for peer in _by_name(line_up.senders()) if peer.encoder is not None]
        self.receivers = [peer for peer in _by_name(line_up.receivers()) if peer.decoder is not None]
        self.values: tuple[tuple[str | int, ...], ...] = (
            tuple(FRAMINGS),
            tuple(peer.name for peer in self.senders),
            tuple(peer.name for peer in self.receivers),
            PAGE_SIZES,
            tuple(DIALECTS),
            tuple(DIALECTS),
            SCENARIO_NAMES,
            CONTENTS,
            CHANNELS,
            tuple(BLOCKS),
            FILLS,
        )
        self._places = [{value: place for place, value in enumerate(values)} for values in self.values]
        self.sizes = tuple(len(values) for values in self.values)
        self.codecs = self._codecs()
        self.identical, generations = self._generations()
        used = _any(self.codecs, (1, 2, 3)) & _any(generations, (1, 2, 3))
        self.codecs[~used] = self.identical[~used] = generations[~used] = False
        self.generations = generations

    def feasible(self, factors: tuple[int, ...]) -> NDArray[np.bool_]:
        """Which combinations of the values of these factors, ascending, can occur; one axis a factor."""
        codecs = _projected(self.codecs, _CODECS, factors)
        generations = _projected(self.generations, _GENERATIONS, factors)
        # Axes: framing, then the others of the one relation, then those of the other.
        left = codecs.reshape(*codecs.shape, *(1,) * (generations.ndim - 1))
        right = generations.reshape(-1, *(1,) * (codecs.ndim - 1), *generations.shape[1:])
        joint = left & right
        if Factor.FRAMING not in factors:
            joint = _any(joint, (0,))
        free = [self.sizes[factor] for factor in factors if factor > Factor.SCENARIO]
        return np.broadcast_to(joint.reshape(*joint.shape, *(1,) * len(free)), (*joint.shape, *free))

    def allowed(self, row: Row, factor: int, generations: Relation) -> NDArray[np.bool_]:
        """Values of an open factor with which the row can still be completed, the dialects being of this relation."""
        if factor > Factor.SCENARIO:
            return np.ones(self.sizes[factor], np.bool_)
        codecs = _chosen(self.codecs, _CODECS, row, factor)
        others = _chosen(generations, _GENERATIONS, row, factor)
        if factor == Factor.FRAMING:
            return codecs & others
        return _any(codecs & others[:, None] if factor in _CODECS else codecs[:, None] & others, (0,))

    def row(self, work: Pairing) -> Row | None:
        """The row of a pairing, None for one that is not of this space."""
        if work.sender_framing != work.receiver_framing or work.fault is not None or work.receiver_channels is not None:
            return None
        named: tuple[str | int, ...] = (
            work.sender_framing, work.sender, work.receiver, work.page_size, work.sender_dialect, work.receiver_dialect,
            work.scenario, work.corpus, work.channels, work.blocks, work.fill.split("-", maxsplit=1)[0],
        )  # fmt: skip
        try:
            return np.array([places[value] for places, value in zip(self._places, named, strict=True)])
        except KeyError:
            return None

    def plain(self, role: Role) -> list[int]:
        """Places of those that stand for all that can do the same."""
        peers = self.senders if role == "sender" else self.receivers
        standing = {peer.name for peer in plain(peers, role)}
        return [place for place, peer in enumerate(peers) if peer.name in standing]

    def fits(self, framing: str, sender: LineUpPeer, receiver: LineUpPeer, page_size: int) -> bool:
        """Memory arrives, as far as the codecs decide; False for peers that are skipped."""
        named: tuple[str | int, ...] = (framing, sender.name, receiver.name, page_size)
        try:
            place = tuple(self._places[factor][value] for factor, value in zip(_CODECS, named, strict=True))
        except KeyError:
            return False
        return bool(self.codecs[place])

    def where(self, relation: Relation) -> Iterator[tuple[str, LineUpPeer, LineUpPeer, int]]:
        """Framing, sender, receiver and page size wherever such a relation holds."""
        names = tuple(FRAMINGS)
        for f, s, r, p in np.argwhere(relation).tolist():
            yield names[f], self.senders[s], self.receivers[r], PAGE_SIZES[p]

    def name(self, factor: int, value: int) -> str:
        """A value as people read it."""
        return f"{Factor(factor).words} {self.values[factor][value]}"

    def own(self) -> Iterator[tuple[int, Factor, int]]:
        """Codecs of accelerators under the method that QEMU runs on these: framing, role and peer."""
        for role, peers in ((Factor.SENDER, self.senders), (Factor.RECEIVER, self.receivers)):
            for place, peer in enumerate(peers):
                for at, name in enumerate(FRAMINGS):
                    if peer.device is not None and name == own_method(peer):
                        yield at, role, place

    def _codecs(self) -> Relation:
        """Asked once for all that declare the same: the outcome depends on nothing else of a peer."""
        relation = np.zeros([self.sizes[factor] for factor in _CODECS], np.bool_)
        senders = _alike(peer.encoder for peer in self.senders)
        receivers = _alike(peer.decoder for peer in self.receivers)
        for (f, name), (p, page_size) in itertools.product(enumerate(FRAMINGS), enumerate(PAGE_SIZES)):
            spoken = _speaking(name)
            if not spoken:
                continue
            for sending, receiving in itertools.product(senders, receivers):
                sender, receiver = self.senders[sending[0]], self.receivers[receiving[0]]
                if able(sender, receiver, name, name, page_size):
                    outcome = _outcome(sender, receiver, name, (spoken[-1],) * 2, CAPTURE, page_size)
                    relation[f, :, :, p][np.ix_(sending, receiving)] = outcome == "identical"
        return relation

    def _generations(self) -> tuple[Relation, Relation]:
        identical = np.zeros([self.sizes[factor] for factor in _GENERATIONS], np.bool_)
        hazard = identical.copy()
        for f, name in enumerate(FRAMINGS):
            pairs = np.argwhere(self.codecs[f, :, :, 0])
            if not len(pairs):
                continue
            sender, receiver = self.senders[pairs[0][0]], self.receivers[pairs[0][1]]
            for i, sent in enumerate(DIALECTS):
                for j, heard in enumerate(DIALECTS):
                    if sent not in _speaking(name) or heard not in _speaking(name):
                        continue
                    for c, scenario in enumerate(SCENARIO_NAMES):
                        if SCENARIOS[scenario].legacy_zero_pages and dialect(sent).zero_pages is ZeroPages.MAIN:
                            continue  # it knows no other way
                        outcome = _outcome(sender, receiver, name, (sent, heard), scenario, PAGE_SIZES[0])
                        identical[f, i, j, c] = outcome == "identical"
                        hazard[f, i, j, c] = outcome == "hazard"
        return identical, identical | hazard


def _alike(capabilities: Iterable[object]) -> list[list[int]]:
    """The places of those that are equal, together."""
    found: dict[object, list[int]] = {}
    for place, capability in enumerate(capabilities):
        found.setdefault(capability, []).append(place)
    return list(found.values())


def _by_name(peers: Iterable[LineUpPeer]) -> list[LineUpPeer]:
    """Those that take part, the same in whatever order a profile has them."""
    return sorted((peer for peer in peers if peer.skip is None), key=lambda peer: peer.name)


def own_method(peer: LineUpPeer) -> str | None:
    """The method that QEMU runs on the accelerator that a peer is, or stands for."""
    found = by_name(peer.device)
    return found.method if found is not None else None


def _speaking(name: str) -> list[str]:
    """Dialects that have the method under whose flag the framing travels."""
    return [spoken.name for spoken in DIALECTS.values() if framing(name).travels_as in spoken.flags]


def _outcome(
    sender: LineUpPeer, receiver: LineUpPeer, name: str, dialects: tuple[str, str], scenario: str, page_size: int
) -> Outcome:
    work = pairing(
        sender, receiver, name, scenario, BLOCKS[USUAL_BLOCKS].sizes(4 * UNIT), dialects=dialects, page_size=page_size
    )
    return predict(question(work, sender, receiver)).outcome


def _projected(relation: Relation, of: Sequence[int], factors: Sequence[int]) -> Relation:
    """The relation of the framing and those of its factors that are among these."""
    dropped = tuple(axis for axis, factor in enumerate(of) if axis > 0 and factor not in factors)
    return _any(relation, dropped)


def _chosen(relation: Relation, of: Sequence[int], row: Row, factor: int) -> Relation:
    """What is left of a relation with the row's values: of the framing, and of the open factor if it has that."""
    part = relation[tuple(slice(None) if row[f] < 0 or f == Factor.FRAMING else slice(row[f], row[f] + 1) for f in of)]
    if row[Factor.FRAMING] >= 0:
        part = part[row[Factor.FRAMING] : row[Factor.FRAMING] + 1]
    dropped = tuple(axis for axis, other in enumerate(of) if axis > 0 and other != factor)
    return _any(part, dropped)


def _any(relation: Relation, axes: tuple[int, ...]) -> Relation:
    """Whether there is anything along these axes."""
    return np.asarray(relation.any(axes))
