"""Many cells that changed in the same way, as one: thousands of cells differ, for a handful of reasons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from multifd.comparison.cells import Change, Difference, shape
from multifd.comparison.standing import Direction

WORDS: Final = frozenset({"reason", "why predicted", "error", "complaints"})
"""Fields that are prose."""


class Group(NamedTuple):
    """Cells that went the same way; never empty."""

    changes: tuple[Change, ...]

    @property
    def first(self) -> Change:
        """The one that is told of."""
        return self.changes[0]

    @property
    def direction(self) -> Direction:
        """Of each of them."""
        return self.first.direction

    @property
    def turn(self) -> str:
        """From which verdict to which."""
        before, after = self.first.before, self.first.after
        return before or "not planned" if before == after else f"{before or 'not planned'} -> {after or 'not planned'}"

    @property
    def facts(self) -> tuple[Difference, ...]:
        """What else differs but for prose; the verdict stands in :attr:`turn`."""
        return tuple(each for each in self.first.differences if each.field not in WORDS | {"verdict", "plan"})

    @property
    def words(self) -> tuple[Difference, ...]:
        """What is said otherwise, where nothing but that differs."""
        return self.first.differences if is_worded(self.first) else ()


def is_worded(change: Change) -> bool:
    """Nothing differs but what is said."""
    return all(each.field in WORDS for each in change.differences)


def folded(changes: Iterable[Change]) -> tuple[Group, ...]:
    """Changes that differ in the cell only; what ends alike in the order of the changes, the larger group first."""
    changes = list(changes)
    found: dict[object, list[Change]] = {}
    for change in changes:
        found.setdefault(_signature(change), []).append(change)
    groups = [Group(tuple(same)) for same in found.values()]
    order = ("worse", "better", "other")
    ends = list(dict.fromkeys(change.after for change in changes if change.direction == "worse"))

    def place(group: Group) -> tuple[int, ...]:
        end = ends.index(group.first.after) if group.direction == "worse" else 0
        return order.index(group.direction), end, -len(group.changes)

    return tuple(sorted(groups, key=place))


def _signature(change: Change) -> object:
    facts = tuple((each.field, each.before, each.after) for each in change.differences if each.field not in WORDS)
    said = tuple((each.field, shape(each.before), shape(each.after)) for each in change.differences)
    # Why something is worse is to be read; of the rest it is enough that it is, unless nothing else is to be told.
    why = shape(change.reason) if change.direction == "worse" else said if not facts else None
    return change.direction, change.chance, change.before, change.after, facts, why
