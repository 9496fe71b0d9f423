"""What a migration left in the destination's memory, compared with what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from multifd.memory.image import Difference, GuestMemory, zero_rows
from multifd.memory.layout import Mask, Script

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

    def describe(self) -> str:
        """In words."""
        return f"{self.wrong} pages hold what was never sent, {self.missing} hold something old, {self.where}"


def compare(destination: GuestMemory, script: Script) -> Memory:
    """Compare with the last image; where that differs, with the earlier ones."""
    with GuestMemory.open(script.rounds[-1].image, writable=False) as final:
        differences = destination.differences(final, limit=1 << 20)
    if not differences:
        return Memory(True, 0, 0, "")
    wrong = 0
    unexplained = {id(difference): _nonzero(destination, difference) for difference in differences}
    for dirty_round in script.rounds[:-1]:
        with GuestMemory.open(dirty_round.image, writable=False) as earlier:
            for difference in differences:
                unexplained[id(difference)] &= _unequal(destination, earlier, difference)
    for mask in unexplained.values():
        wrong += int(mask.sum())
    total = sum(difference.count for difference in differences)
    first = differences[0]
    return Memory(False, wrong, total - wrong, f"first at page {first.first} of {first.block}")


def snapshot(memory: GuestMemory) -> Snapshot:
    """A copy of the whole memory."""
    return {block: memory.pages(block).copy() for block in memory.layout.sizes}


def changed(memory: GuestMemory, before: Snapshot) -> int:
    """Pages that are not as they were."""
    return sum(int((memory.pages(block) != pages).any(axis=1).sum()) for block, pages in before.items())


def _rows(memory: GuestMemory, difference: Difference) -> npt.NDArray[np.uint8]:
    return memory.pages(difference.block)[difference.first : difference.first + difference.count]


def _nonzero(memory: GuestMemory, difference: Difference) -> Mask:
    return ~zero_rows(_rows(memory, difference))


def _unequal(memory: GuestMemory, other: GuestMemory, difference: Difference) -> Mask:
    return ~zero_rows(_rows(memory, difference) ^ _rows(other, difference))
