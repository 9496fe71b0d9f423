"""What a migration left in the destination's memory, compared with what was sent."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from multifd.memory.image import Difference, GuestMemory, zero_rows
from multifd.memory.layout import Mask, Script
from multifd.oracle.verdict import Stretch

_STRETCHES: Final = 1000

Snapshot = Mapping[str, npt.NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Memory:
    """The destination against the script."""

    identical: bool
    wrong: int
    """Pages that hold something that was never sent for them and is not zero."""
    missing: int
    """Pages that hold an older content, or zero, instead of the last one sent."""
    where: str
    stretches: tuple[Stretch, ...] = ()
    """Where, the first :data:`_STRETCHES`."""

    def describe(self) -> str:
        """In words."""
        return f"{self.wrong} pages hold what was never sent, {self.missing} hold something old, {self.where}"


def compare(destination: GuestMemory, script: Script) -> Memory:
    """Compare with the last image; where that differs, with the earlier ones."""
    with GuestMemory.open(script.rounds[-1].image, writable=False) as final:
        differences = destination.differences(final, limit=1 << 20)
    if not differences:
        return Memory(True, 0, 0, "")
    wrong, stretches = 0, list[Stretch]()
    unexplained = {id(difference): _nonzero(destination, difference) for difference in differences}
    for dirty_round in script.rounds[:-1]:
        with GuestMemory.open(dirty_round.image, writable=False) as earlier:
            for difference in differences:
                unexplained[id(difference)] &= _unequal(destination, earlier, difference)
    for difference in differences:
        mask = unexplained[id(difference)]
        wrong += int(mask.sum())
        if len(stretches) < _STRETCHES:
            stretches += _stretches(difference, mask)
    total = sum(difference.count for difference in differences)
    first = differences[0]
    where = f"first at page {first.first} of {first.block}"
    return Memory(False, wrong, total - wrong, where, tuple(stretches[:_STRETCHES]))


def _stretches(difference: Difference, never_sent: Mask) -> Iterator[Stretch]:
    at = difference.first
    for alike, pages in itertools.groupby(never_sent.tolist()):
        count = len(list(pages))
        yield Stretch(difference.block, at, count, "never sent" if alike else "older")
        at += count


def snapshot(memory: GuestMemory) -> Snapshot:
    """A copy of the whole memory."""
    return {block: memory.copy(block) for block in memory.layout.sizes}


def changed(memory: GuestMemory, before: Snapshot) -> int:
    """Pages that are not as they were."""
    return sum(int((~zero_rows(memory.copy(block) ^ pages)).sum()) for block, pages in before.items())


def _rows(memory: GuestMemory, difference: Difference) -> npt.NDArray[np.uint8]:
    return memory.copy(difference.block, difference.first, difference.count)


def _nonzero(memory: GuestMemory, difference: Difference) -> Mask:
    return ~zero_rows(_rows(memory, difference))


def _unequal(memory: GuestMemory, other: GuestMemory, difference: Difference) -> Mask:
    return ~zero_rows(_rows(memory, difference) ^ _rows(other, difference))
