"""Covering arrays: rows of values, one of each factor, that together have every pair and many triples of values.

A row has the index of a value for each factor, :data:`OPEN` where it has not been chosen. Rows are made one
after the other, each value being the one that adds most of what is still wanted to the values chosen before it: a pair
counts more than any number of triples. That is AETG's greedy choice (Cohen, Dalal, Fredman, Patton, "The AETG system",
IEEE TSE 23(7), 1997) with values instead of random candidates, so that equal factors give equal rows on every host.

Generators that exist begin with nothing and end with the fewest rows. Here thousands of rows are there to begin with,
for every pairing is to be tried, and what matters is what stands in them besides; that is also why triples cost nothing
extra (covertable 3.2 takes 4 s for the pairs alone, and forgets what rows beyond them could show).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

OPEN: Final = -1
"""A value that has not been chosen."""
LARGEST: Final = 3
"""Of the tuples that are counted."""
_PAIR: Final = 1 << 10
"""What a pair is worth in triples: more than there are in a row."""

Row = NDArray[np.int64]
Feasible = Callable[[tuple[int, ...]], NDArray[np.bool_]]
"""Of some factors, ascending: which combinations of their values can occur, one axis a factor."""
_Completed = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Of each tuple that a factor completes: strides of the others, place by value, worth."""


class Tuples:
    """All pairs and triples of values: which can occur, and which no row has had yet."""

    def __init__(self, sizes: Sequence[int], feasible: Feasible) -> None:
        self.sizes = tuple(sizes)
        self._combinations = [c for k in (2, LARGEST) for c in itertools.combinations(range(len(sizes)), k)]
        parts = [feasible(combination).reshape(-1) for combination in self._combinations]
        starts = np.cumsum([0, *(len(part) for part in parts)])
        self._spans = [slice(first, stop) for first, stop in itertools.pairwise(starts.tolist())]
        self._feasible = np.concatenate(parts)
        self._wanted = self._feasible.copy()
        self._starts = starts[:-1]
        self._strides = np.zeros((len(self._combinations), len(sizes)), np.int64)
        for place, combination in enumerate(self._combinations):
            step = 1
            for factor in reversed(combination):
                self._strides[place, factor] = step
                step *= sizes[factor]
        self._beside: dict[tuple[int, bytes], _Completed] = {}

    def mark(self, row: Row) -> None:
        """The row has all its tuples."""
        self._wanted[self._starts + self._strides @ row] = False

    def gain(self, row: Row, factor: int) -> NDArray[np.int64]:
        """What each value of an open factor would add to the values chosen so far."""
        chosen = row >= 0
        key = factor, chosen.tobytes()
        if key not in self._beside:
            self._beside[key] = self._completed(factor, chosen)
        strides, steps, worth = self._beside[key]
        gained: NDArray[np.int64] = worth @ self._wanted[steps + (strides @ row)[:, None]]
        return gained

    def missing(self, size: int) -> list[list[tuple[int, int]]]:
        """Tuples of that size that no row has had: factor and value of each of their members."""
        found = []
        for combination, span in zip(self._combinations, self._spans, strict=True):
            if len(combination) == size:
                shape = [self.sizes[factor] for factor in combination]
                values = np.stack(np.unravel_index(np.flatnonzero(self._wanted[span]), shape), 1).tolist()
                found += [list(zip(combination, each, strict=True)) for each in values]
        return found

    def lacks(self, members: Sequence[tuple[int, int]]) -> bool:
        """No row has had this tuple yet."""
        row = np.zeros(len(self.sizes), np.int64)
        for factor, value in members:
            row[factor] = value
        place = self._combinations.index(tuple(factor for factor, _ in members))
        return bool(self._wanted[self._starts[place] + self._strides[place] @ row])

    def count(self, size: int) -> tuple[int, int]:
        """Tuples of that size that rows have had, and all that can occur."""
        spans = [s for c, s in zip(self._combinations, self._spans, strict=True) if len(c) == size]
        feasible = sum(int(np.count_nonzero(self._feasible[span])) for span in spans)
        return feasible - sum(int(np.count_nonzero(self._wanted[span])) for span in spans), feasible

    def had(self, size: int) -> bytes:
        """A bit for each tuple of that size that can occur, the highest of a byte first: 1 if a row has had it."""
        spans = [s for c, s in zip(self._combinations, self._spans, strict=True) if len(c) == size]
        feasible, wanted = (np.concatenate([bits[span] for span in spans]) for bits in (self._feasible, self._wanted))
        return np.packbits(~wanted[feasible]).tobytes()

    def by_factors(self, size: int) -> list[tuple[tuple[int, ...], int, int]]:
        """The same for each combination of factors."""
        return [
            (c, int(self._feasible[s].sum() - self._wanted[s].sum()), int(self._feasible[s].sum()))
            for c, s in zip(self._combinations, self._spans, strict=True)
            if len(c) == size
        ]

    def _completed(self, factor: int, chosen: NDArray[np.bool_]) -> _Completed:
        """The tuples that a value of this factor completes where these have one."""
        places = [
            at for at, combination in enumerate(self._combinations)
            if factor in combination and all(chosen[other] for other in combination if other != factor)
        ]  # fmt: skip
        strides = self._strides[places]
        steps = self._starts[places][:, None] + strides[:, factor, None] * np.arange(self.sizes[factor])
        strides[:, factor] = 0
        worth = [_PAIR if len(self._combinations[place]) == 2 else 1 for place in places]
        return strides, steps, np.array(worth, np.int64)


class Choice:
    """Chooses values by what they add; of equals the one chosen least, then whichever a seed says."""

    def __init__(self, tuples: Tuples, seed: int) -> None:
        self._tuples = tuples
        self._chosen = [[0] * size for size in tuples.sizes]
        self._rotation = seed

    def value(self, row: Row, factor: int, allowed: NDArray[np.bool_]) -> int:
        """The best of the allowed values, of which there is at least one."""
        candidates = allowed.nonzero()[0].tolist()
        self._rotation += 1
        first = -self._rotation * 7 % len(candidates)
        gain, often = self._tuples.gain(row, factor).tolist(), self._chosen[factor]
        value: int = min(candidates[first:] + candidates[:first], key=lambda each: (-gain[each], often[each]))
        often[value] += 1
        return value
