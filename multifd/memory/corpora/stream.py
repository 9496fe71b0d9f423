"""Endless content out of a finite stock of pieces, at the speed of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from itertools import cycle
from typing import Final

from multifd.memory.dice import Dice

Content = bytes | memoryview
"""Page content."""

Generate = Callable[[int, Dice], Content]
"""What makes exactly so many bytes of content with these dice."""

STOCK: Final = 4 << 20
"""Bytes of costly content before it repeats: eight times the largest window that QEMU's methods use by
default (zstd level 1: 512 KiB)."""

BATCH: Final = 4096
"""Pieces drawn at once."""


def fill(pieces: Iterable[Content], size: int) -> bytes:
    """Join pieces until there are ``size`` bytes; the last one is cut. Never ends if too few pieces come."""
    taken, missing = [], size
    for piece in pieces:
        if missing <= 0:
            break
        taken.append(piece)
        missing -= len(piece)
    return b"".join(taken)[:size]


def repeated(pieces: Sequence[Content], size: int) -> bytes:
    """Join the pieces in their order, again and again, until there are ``size`` bytes."""
    return fill(cycle(pieces), size)


def shuffled(pieces: Sequence[bytes], dice: Dice) -> Iterator[bytes]:
    """Yield pieces at random, for ever.

    With a stock of much more than 512 KiB (the largest window of any method, zstd's) a repetition is too far
    away for most compressors to see it.
    """
    while True:
        for index in dice.integers(0, len(pieces), BATCH).tolist():
            yield pieces[index]


def limited(generate: Generate) -> Generate:
    """Make costly content only once for each STOCK bytes, so that large memories fill fast."""

    @wraps(generate)
    def wrapper(size: int, dice: Dice) -> Content:
        return repeated([generate(min(size, STOCK), dice)], size)

    return wrapper
