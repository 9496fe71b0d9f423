"""What a guest's memory holds and how it changes: a covering array of cells with real QEMUs.

========  =============================================================================================
factor    values
========  =============================================================================================
method    those that any binary has
pair      every ordered pair of binaries, and every binary to a receiver of ours
content   all corpora (:mod:`multifd.memory.corpus`)
way       how much changes before the switchover, and so what packets hold; how many rounds there are
blocks    RAM of whole packets or not, DIMMs of any number of pages beside it
channels  1 to 8
========  =============================================================================================

First every method with every content, for that is what an encoder sees; ``none`` is left out of it, since it puts pages
as they are. Each of these rows takes of the other factors what has not been together yet; then come the pairs of values
that are left, those of a content aside.

A machine that takes no DIMM has its RAM alone instead.

A way in which pages become zero is run with ``zero-page-detection=legacy`` where the receiver would lose them else:
that hazard has cells of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from multifd.lineup.peers import LineUp, LineUpPeer, QemuPeer
from multifd.memory.blocks import GUESTS
from multifd.memory.corpus import CORPORA
from multifd.plan.cell import PlannedCell
from multifd.plan.covering import OPEN, Choice, Row, Tuples
from multifd.plan.pairings import able
from multifd.plan.qemu.cell import alike, qemu_cell
from multifd.plan.reference import reference
from multifd.plan.scenarios.scenario import LEGACY
from multifd.plan.wire import USER
from multifd.plan.work import USUAL_BLOCKS

_CONTENTS: Final = tuple(name for name in CORPORA if name != "mixed")
"""Other cells have ``mixed``."""
_WAYS: Final = ("quarter", "one-page", "packet-and-one", "half-zero", "three-rounds")
_BLOCKS: Final = (USUAL_BLOCKS, *GUESTS)
_CHANNELS: Final = (1, 2, 3, 8)
_RAW: Final = "none"


class _Factor(IntEnum):
    METHOD = 0
    PAIR = 1
    CONTENT = 2
    WAY = 3
    BLOCKS = 4
    CHANNELS = 5


@dataclass(frozen=True, slots=True)
class _Pair:
    sender: QemuPeer
    receiver: QemuPeer | None
    """None for one of ours, by method."""


@dataclass(slots=True)
class _Array:
    line_up: LineUp
    seed: int
    methods: tuple[str, ...] = field(init=False)
    pairs: list[_Pair] = field(init=False)
    sizes: tuple[int, ...] = field(init=False)
    _fits: NDArray[np.bool_] = field(init=False)
    """Method by pair: both ends have it."""

    def __post_init__(self) -> None:
        qemus = self.line_up.qemus
        self.pairs = [
            *(_Pair(sender, receiver) for sender, receiver in alike(self.line_up)),
            *(_Pair(sender, None) for sender in qemus),
        ]
        self.methods = tuple(dict.fromkeys(method for qemu in qemus for method in qemu.methods))
        self._fits = np.array(
            [[self._receiver(pair, method) is not None for pair in self.pairs] for method in self.methods], np.bool_
        )
        values = (self.methods, self.pairs, _CONTENTS, _WAYS, _BLOCKS, _CHANNELS)
        self.sizes = tuple(map(len, values))

    def rows(self) -> Iterator[Row]:
        tuples = Tuples(self.sizes, self._feasible)
        choice = Choice(tuples, self.seed)
        for wanted in itertools.chain(self._every_content(), self._rest(tuples)):
            row = np.full(len(_Factor), OPEN)
            for factor, value in wanted:
                row[factor] = value
            if not self._allowed(row, _Factor.METHOD).any() or not tuples.lacks(wanted):
                continue
            for factor in np.flatnonzero(row == OPEN).tolist():
                row[factor] = choice.value(row, factor, self._allowed(row, factor))
            tuples.mark(row)
            yield row

    def cell(self, row: Row) -> PlannedCell:
        method, pair = self.methods[row[_Factor.METHOD]], self.pairs[row[_Factor.PAIR]]
        receiver = self._receiver(pair, method)
        assert receiver is not None, f"{method} does not fit {pair}"
        blocks = _BLOCKS[row[_Factor.BLOCKS]] if pair.sender.facts.arch.dimms else USUAL_BLOCKS
        return safe(
            pair.sender, receiver, method, _WAYS[row[_Factor.WAY]], corpus=_CONTENTS[row[_Factor.CONTENT]],
            blocks=blocks, channels=_CHANNELS[row[_Factor.CHANNELS]],
        )  # fmt: skip

    def _every_content(self) -> Iterator[list[tuple[int, int]]]:
        for method, content in itertools.product(range(len(self.methods)), range(len(_CONTENTS))):
            if self.methods[method] != _RAW:
                yield [(_Factor.METHOD, method), (_Factor.CONTENT, content)]

    def _rest(self, tuples: Tuples) -> Iterator[list[tuple[int, int]]]:
        for members in tuples.missing(2):
            if all(factor != _Factor.CONTENT for factor, _ in members):
                yield members

    def _receiver(self, pair: _Pair, method: str) -> QemuPeer | LineUpPeer | None:
        if method not in pair.sender.methods:
            return None
        if pair.receiver is not None:
            return pair.receiver if method in pair.receiver.methods else None
        return decoder(self.line_up, pair.sender, method)

    def _feasible(self, factors: tuple[int, ...]) -> NDArray[np.bool_]:
        """As :data:`multifd.plan.covering.Feasible` has it."""
        fits = self._fits
        dropped = tuple(axis for axis in (_Factor.METHOD, _Factor.PAIR) if axis not in factors)
        part = np.asarray(fits.any(dropped))
        free = [self.sizes[factor] for factor in factors if factor > _Factor.PAIR]
        return np.broadcast_to(part.reshape(*part.shape, *(1,) * len(free)), (*part.shape, *free))

    def _allowed(self, row: Row, factor: int) -> NDArray[np.bool_]:
        """Values of a factor with which both ends have the method."""
        if factor > _Factor.PAIR:
            return np.ones(self.sizes[factor], np.bool_)
        chosen = self._fits[tuple(slice(None) if row[f] == OPEN else slice(row[f], row[f] + 1) for f in (0, 1))]
        return np.asarray(chosen.any(1 - factor))


def contents(line_up: LineUp, seed: int) -> Iterator[PlannedCell]:
    """The cells of the array; none without a QEMU."""
    array = _Array(line_up, seed)
    if array.pairs:
        yield from {cell.id: cell for cell in map(array.cell, array.rows())}.values()


def of_user(line_up: LineUp) -> Iterator[PlannedCell]:
    """The user's content: every method of every binary, to a receiver of ours or to itself."""
    for sender in line_up.qemus:
        for method in sender.methods:
            receiver = decoder(line_up, sender, method) or sender
            yield safe(sender, receiver, method, "quarter", corpus=USER)


def decoder(line_up: LineUp, sender: QemuPeer, method: str) -> LineUpPeer | None:
    """Who of ours reads a method as QEMU does, None if nobody can read this sender's."""
    ours = next((peer for peer in line_up.receivers() if peer.name == reference(method)), None)
    return ours if ours is not None and able(sender, ours, method, method) else None


def safe(
    sender: QemuPeer, receiver: QemuPeer | LineUpPeer, method: str, scenario: str, **special: object
) -> PlannedCell:
    """A cell in which zero pages arrive: as the sender does it by itself, or the legacy way if it must."""
    cell = qemu_cell(sender, receiver, method, method, scenario=scenario, **special)  # type: ignore[arg-type]
    if cell.prediction.rule != "zero-pages":
        return cell
    return qemu_cell(sender, receiver, method, method, scenario=scenario + LEGACY, **special)  # type: ignore[arg-type]
