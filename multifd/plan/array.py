"""Rows of the covering array: every pairing captured and live, and in them every pair of values that there is.

In this order, each step marking what its rows have, so that the next adds what is missing:

1. every framing x sender x receiver captured, some receivers sharing a capture; in turns with the sweeps, so that each
   is given packets of every number of pages;
2. every framing x sender x receiver live, over several rounds; those of the same capabilities but for level and knobs
   once for each framing;
3. the accelerators' codecs under their own methods with every value of every factor, live, and in a lasting session;
4. pages at the edge of what shrinks, for every peer in every framing that compresses page by page;
5. the pairs that are left, and with strength 3 triples until :data:`ENOUGH` of them are there.

Content, page size, blocks and scenario decide which images of guest memory are needed. So that these stay few, rows
take them from a small covering array of their own; only a tuple that asks for something else gets it.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from multifd.framing.model import FRAMINGS, Scope
from multifd.memory.blocks import SWEEPS
from multifd.plan.covering import OPEN, Choice, Row, Tuples
from multifd.plan.scenarios.table import SCENARIOS
from multifd.plan.space import (
    CAPTURE,
    CHANNELS,
    CONTENTS,
    FILLS,
    PAGE_SIZES,
    SCENARIO_NAMES,
    SWEEP,
    Factor,
    Relation,
    Space,
)

ENOUGH: Final = 0.97
"""Share of the triples that a plan of strength 3 has."""
SHARED: Final = 32
"""Receivers that read one capture."""
EDGE: Final = "page-edge"
"""The content that has it."""

_IMAGES: Final = (Factor.PAGE_SIZE, Factor.SCENARIO, Factor.CONTENT, Factor.BLOCKS)
_ORDER: Final = (
    Factor.FRAMING, Factor.SENDER, Factor.RECEIVER, *_IMAGES,
    Factor.SENDER_DIALECT, Factor.RECEIVER_DIALECT, Factor.CHANNELS, Factor.FILL,
)  # fmt: skip
"""In which values are chosen: first what leaves the others least choice."""
_ROUNDS: Final = np.array([SCENARIOS[name].several_rounds for name in SCENARIO_NAMES])
_WITH_ZERO_PAGES: Final = frozenset({"zero", "sparse", "mixed", "host-files"})
"""Contents of which a packet may have fewer pages than it has room for; the last is another on every host."""
_ANY: Final = np.array([name != "zero" for name in CONTENTS])
_SOLID: Final = np.array([name not in _WITH_ZERO_PAGES for name in CONTENTS])
_CAPTURED: Final = np.array([name == CAPTURE for name in SCENARIO_NAMES])
_SMALLEST: Final = PAGE_SIZES.index(4096)
_LASTING: Final = {
    Factor.SCENARIO: SCENARIO_NAMES.index("live"), Factor.CHANNELS: CHANNELS.index(2), Factor.FILL: FILLS.index("few"),
}  # fmt: skip
"""Several packets of every channel in every round: what a session keeps shows only in one that lasts."""


@dataclass(slots=True)
class Chosen:
    """A row, and which sweep it has where its fill is one."""

    row: Row
    sweep: int = 0


@dataclass(slots=True)
class CoveringArray:
    """Made by :func:`covering_array`."""

    space: Space
    seed: int
    strength: int
    tuples: Tuples = field(init=False)
    rows: list[Chosen] = field(default_factory=list)
    _choice: Choice = field(init=False)
    _images: Relation = field(init=False)
    _swept: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    _leftovers: bool = False
    """Pairings have had their rows; from here on only tuples count."""
    _table: NDArray[np.int64] = field(default_factory=lambda: np.empty((1024, len(Factor)), np.int64))
    """All rows, and room for more."""

    def __post_init__(self) -> None:
        self.tuples = Tuples(self.space.sizes, self.space.feasible)
        self._choice = Choice(self.tuples, self.seed)
        self._images = _images(self.space, self.strength, self.seed)

    def make(self) -> None:
        """All steps."""
        self._captured()
        self._live()
        self._own_methods()
        self._edges()
        self._left(2)
        if self.strength > 2:
            self._left(3)

    def _captured(self) -> None:
        for turn, (f, s) in enumerate(np.argwhere(self.space.codecs.any((2, 3))).tolist()):
            receivers = np.flatnonzero(self.space.codecs[f, s].any(1)).tolist()
            receivers = receivers[turn % len(receivers) :] + receivers[: turn % len(receivers)]
            for at in range(0, len(receivers), SHARED):
                self._capture(f, s, receivers[at : at + SHARED], sweeping=(turn + at // SHARED) % 2 == 0)
        self._sweeps()

    def _sweeps(self) -> None:
        """Those that receivers of few pairings still lack."""
        for r in range(len(self.space.receivers)):
            able = np.argwhere(self.space.codecs[:, :, r, _SMALLEST]).tolist()
            for f, s in itertools.cycle(able):
                if len(self._swept[r]) == SWEEPS:
                    break
                readers = np.flatnonzero(self.space.codecs[f, s, :, _SMALLEST]).tolist()
                others = [other for other in readers if other != r and len(self._swept[other]) < SWEEPS]
                self._capture(f, s, [r, *others], sweeping=True)

    def _capture(self, framing: int, sender: int, receivers: Sequence[int], *, sweeping: bool) -> None:
        """One capture for the first of these receivers, and for those of the others that can read it."""
        first = receivers[0]
        lacking = [number for number in range(1, SWEEPS + 1) if number not in self._swept[first]]
        sweeping = sweeping and bool(lacking) and bool(self.space.codecs[framing, sender, first, _SMALLEST])
        fixed = {Factor.PAGE_SIZE: _SMALLEST, Factor.FILL: FILLS.index(SWEEP)} if sweeping else {}
        row = self._row({Factor.FRAMING: framing, Factor.SENDER: sender, Factor.RECEIVER: first, **fixed}, _CAPTURED)
        sweep = (lacking[0] if lacking else len(self.rows) % SWEEPS + 1) if FILLS[row[Factor.FILL]] == SWEEP else 0
        self._add(row, sweep)
        others = []
        for receiver in receivers[1:]:
            other = row.copy()
            other[[Factor.RECEIVER, Factor.RECEIVER_DIALECT]] = receiver, OPEN
            if self.space.codecs[tuple(other[:4])]:
                self._complete(other, None, self.space.identical)
                self._add(other, sweep)
            else:
                others.append(receiver)
        if others:
            self._capture(framing, sender, others, sweeping=sweeping)

    def _live(self) -> None:
        able = np.asarray(self.space.codecs.any(3))
        senders, receivers = self.space.plain("sender"), self.space.plain("receiver")
        for f, s, r in itertools.product(range(len(FRAMINGS)), senders, receivers):
            if able[f, s, r]:
                self._add(self._row({Factor.FRAMING: f, Factor.SENDER: s, Factor.RECEIVER: r}, _ROUNDS))
        for role, axis in ((Factor.SENDER, 2), (Factor.RECEIVER, 1)):
            for f, peer in np.argwhere(np.asarray(able.any(axis))).tolist():
                self._must({Factor.FRAMING: f, role: peer}, _ROUNDS)

    def _own_methods(self) -> None:
        for f, role, peer in self.space.own():
            for factor in (f for f in Factor if f not in (Factor.FRAMING, Factor.SENDER, Factor.RECEIVER)):
                for value in range(self.space.sizes[factor]):
                    self._must({Factor.FRAMING: f, role: peer, factor: value}, ~_CAPTURED)
            self._must({Factor.FRAMING: f, role: peer, **_LASTING}, ~_CAPTURED)

    def _edges(self) -> None:
        pages = [at for at, framing in enumerate(FRAMINGS.values()) if framing.scope is Scope.PAGE]
        edge = {Factor.PAGE_SIZE: _SMALLEST, Factor.CONTENT: CONTENTS.index(EDGE)}
        for f, role in itertools.product(pages, (Factor.SENDER, Factor.RECEIVER)):
            if not FRAMINGS[self.space.values[0][f]].raw_pages:  # type: ignore[index]
                for peer in range(self.space.sizes[role]):
                    self._must({Factor.FRAMING: f, role: peer, **edge}, _CAPTURED)

    def _must(self, fixed: dict[Factor, int], scenarios: Relation) -> None:
        """A row with these values, unless there is one."""
        rows = self._table[: len(self.rows)]
        if ((rows[:, list(fixed)] == list(fixed.values())).all(1) & scenarios[rows[:, Factor.SCENARIO]]).any():
            return
        row = self._possible(fixed, scenarios, self.space.identical)
        if row is not None:
            self._add(row)

    def _left(self, size: int) -> None:
        """Rows for tuples that no row has had, until there are none, or enough."""
        self._leftovers = True
        missing = self.tuples.missing(size)
        spread = [missing[at] for step in range(_STRIDE) for at in range(step, len(missing), _STRIDE)]
        for members in spread:
            if not self.tuples.lacks(members):
                continue
            if size > 2 and self._share() >= ENOUGH:
                return
            fixed = {Factor(factor): value for factor, value in members}
            row = self._possible(fixed, None, self.space.identical)
            if row is None:
                row = self._possible(fixed, None, self.space.generations)
            assert row is not None, f"{fixed} is said to be feasible"
            self._add(row)

    def _share(self) -> float:
        had, feasible = self.tuples.count(3)
        return had / max(feasible, 1)

    def _row(self, fixed: dict[Factor, int], scenarios: Relation) -> Row:
        row = self._possible(fixed, scenarios, self.space.identical)
        assert row is not None, f"{fixed} is said to be feasible"
        return row

    def _possible(self, fixed: dict[Factor, int], scenarios: Relation | None, generations: Relation) -> Row | None:
        """The best row with these values; None if there is none."""
        row = np.full(len(Factor), OPEN)
        for factor, value in fixed.items():
            row[factor] = value
        if scenarios is not None:
            generations = generations & scenarios
        for factor in fixed:
            probe = row.copy()
            probe[factor] = OPEN
            if not self.space.allowed(probe, factor, generations)[row[factor]]:
                return None
        self._complete(row, scenarios, generations)
        return row

    def _complete(self, row: Row, scenarios: Relation | None, generations: Relation) -> None:
        for factor in _ORDER:
            if row[factor] != OPEN:
                continue
            allowed = self.space.allowed(row, factor, generations)
            if factor == Factor.SCENARIO and scenarios is not None:
                allowed = allowed & scenarios
            if factor == Factor.CONTENT and _CAPTURED[row[Factor.SCENARIO]] and not self._leftovers:
                # Without content no codec is ever called: that is no evidence of a pairing.
                allowed = _SOLID if row[Factor.FILL] == FILLS.index(SWEEP) else _ANY
            if factor in _IMAGES:
                ready = allowed & self._ready(row, factor)
                allowed = ready if ready.any() else allowed
            row[factor] = self._choice.value(row, factor, allowed)

    def _ready(self, row: Row, factor: Factor) -> Relation:
        """Values with which the images are among those that others need as well."""
        index = tuple(slice(None) if row[f] == OPEN else row[f] for f in _IMAGES)
        part = self._images[index]
        left = [f for f in _IMAGES if row[f] == OPEN]
        return np.asarray(part.any(tuple(axis for axis, f in enumerate(left) if f != factor)))

    def _add(self, row: Row, sweep: int = 0) -> None:
        if FILLS[row[Factor.FILL]] == SWEEP and not sweep:
            sweep = len(self.rows) % SWEEPS + 1
        solid = _SOLID[row[Factor.CONTENT]] and row[Factor.PAGE_SIZE] == _SMALLEST
        if sweep and solid and row[Factor.SCENARIO] == SCENARIO_NAMES.index(CAPTURE):
            self._swept[int(row[Factor.RECEIVER])].add(sweep)
        self.tuples.mark(row)
        if len(self.rows) == len(self._table):
            self._table = np.concatenate((self._table, np.empty_like(self._table)))
        self._table[len(self.rows)] = row
        self.rows.append(Chosen(row, sweep))


_STRIDE: Final = 7919
"""Neighbours in a list of tuples differ in one value only; far ones have more to give each other."""


def covering_array(space: Space, seed: int, strength: int) -> CoveringArray:
    """The same rows for the same space, seed and strength (2 or 3)."""
    array = CoveringArray(space, seed, strength)
    array.make()
    return array


def _images(space: Space, strength: int, seed: int) -> Relation:
    """Which images there shall be: a covering array of what decides them."""
    sizes = [space.sizes[factor] for factor in _IMAGES]
    tuples = Tuples(sizes, lambda factors: np.ones([sizes[factor] for factor in factors], np.bool_))
    choice = Choice(tuples, seed)
    ready = np.zeros(sizes, np.bool_)
    for row in _until_covered(tuples, choice, strength):
        ready[tuple(row)] = True
    return ready


def _until_covered(tuples: Tuples, choice: Choice, strength: int) -> Iterator[Row]:
    for members in tuples.missing(strength):
        if tuples.lacks(members):
            row = np.full(len(tuples.sizes), OPEN)
            for factor, value in members:
                row[factor] = value
            for factor in np.flatnonzero(row == OPEN).tolist():
                row[factor] = choice.value(row, factor, np.ones(tuples.sizes[factor], np.bool_))
            tuples.mark(row)
            yield row
