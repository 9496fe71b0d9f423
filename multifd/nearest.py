"""What somebody may have meant: of the names that there are, the nearest to one that is not among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest
from itertools import zip_longest
from typing import Final

MOST: Final = 3
_SEPARATORS: Final = re.compile(r"[/~]")


def nearest(wanted: str, names: Iterable[str], most: int = MOST) -> tuple[str, ...]:
    """At most so many, the nearest first; some, whatever is wanted, unless there are no names.

    Ids are compared part by part, so that one typo counts as one, wherever it is, and a part that is not there as one
    more.
    """
    parts = _SEPARATORS.split(wanted)
    return tuple(nlargest(most, names, key=lambda name: _likeness(parts, _SEPARATORS.split(name))))


def suggestion(wanted: str, names: Iterable[str]) -> str:
    """The nearest ones, for the end of an error."""
    return f"the nearest are {', '.join(nearest(wanted, names)) or 'none'}"


def _likeness(wanted: Sequence[str], parts: Sequence[str]) -> float:
    return sum(_alike(one, other) for one, other in zip_longest(wanted, parts, fillvalue="")) / len(parts)


@lru_cache(maxsize=1 << 14)
def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
