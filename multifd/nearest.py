"""What somebody may have meant: of the names that there are, the nearest to one that is not among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest
from typing import Final

MOST: Final = 3
_LENGTH: Final = 0.01
"""What a part more or less costs: less than any typo."""
_SEPARATORS: Final = re.compile(r"[/~]")


def nearest(wanted: str, names: Iterable[str], most: int = MOST) -> tuple[str, ...]:
    """At most so many, the nearest first; some, whatever is wanted, unless there are no names.

    Ids are compared part by part from the first, so that one typo counts as one, wherever it is; who gave the beginning
    of an id is shown what begins like that.
    """
    parts = _SEPARATORS.split(wanted.rstrip("/~"))
    return tuple(nlargest(most, names, key=lambda name: _likeness(parts, _SEPARATORS.split(name))))


def suggestion(wanted: str, names: Iterable[str]) -> str:
    """The nearest ones, for the end of an error."""
    return f"the nearest are {', '.join(nearest(wanted, names)) or 'none'}"


def _likeness(wanted: Sequence[str], parts: Sequence[str]) -> float:
    likeness = sum(_alike(one, other) for one, other in zip(wanted, parts, strict=False))
    return likeness - _LENGTH * abs(len(wanted) - len(parts))


@lru_cache(maxsize=1 << 14)
def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
