"""How much of what can be combined a set of cells combines."""

from __future__ import annotations

from collections.abc import Iterable

from multifd.plan.covering import Tuples
from multifd.plan.space import Space
from multifd.plan.work import Work


def covered(space: Space, works: Iterable[Work]) -> Tuples:
    """The pairs and triples that the migrations among these have."""
    tuples = Tuples(space.sizes, space.feasible)
    for work in works:
        row = space.row(work) if work.kind == "pairing" else None
        if row is not None:
            tuples.mark(row)
    return tuples


def in_words(space: Space, members: Iterable[tuple[int, int]]) -> str:
    """A tuple as people read it."""
    return " with ".join(space.name(factor, value) for factor, value in members)
