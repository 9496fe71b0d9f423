"""A plan in parts for several hosts: which groups of cells are whose.

Whole groups, for the cells of one share what is expensive. The parts depend on the groups' names and on what they are
expected to take, on nothing else, so that hosts that never speak to each other divide one plan alike. Each group goes
to the shard that its hash ranks first and that has room: consistent hashing with bounded loads (Mirrokni, Thorup,
Zadimoghaddam, SODA 2018, arXiv:1608.01350) over rendezvous hashing. So when cells come and go, most of the others stay
where they were. The largest groups choose first, that the small ones may fill what these leave.
"""

from __future__ import annotations

import hashlib
import re
import reprlib
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from multifd.errors import InputError

_SHARD: Final = re.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})")
_SLACK: Final = 1.03
"""So much of its share a shard may take before groups pass it by."""


class Shard(NamedTuple):
    """The ``number``\\ th of ``of`` parts, the first one being 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``2/8``; raises InputError."""
        found = _SHARD.fullmatch(text)
        if found is None or int(found[1]) > int(found[2]):
            expected = "expected I/N, the I-th of N parts, from 1/N to N/N, such as 2/8"
            raise InputError(f"--shard {reprlib.repr(text)}: {expected}")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def shared(groups: Mapping[str, float], of: int) -> dict[str, int]:
    """The shard of each group, from 1 to ``of``; the values are what groups are expected to take, in seconds.

    No shard is empty unless there are fewer groups than shards.
    """
    loads = dict.fromkeys(range(1, of + 1), 0.0)
    large = sorted(groups, key=lambda name: (-groups[name], _hash(name)))
    most = max(_SLACK * sum(groups.values()) / of, max(groups.values(), default=0.0))
    found = {}
    for place, name in enumerate(large):
        ranked = sorted(loads, key=lambda number: _hash(f"{number} {name}"))
        # The first of them take a shard each, so that none is left over.
        free = [each for each in ranked if not loads[each]] if place < of else ranked
        fitting = (each for each in free if loads[each] + groups[name] <= most)
        chosen = next(fitting, None) or min(free, key=loads.__getitem__)
        loads[chosen] += groups[name]
        found[name] = chosen
    return found


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
