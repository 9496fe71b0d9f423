"""DEFLATE streams by grammar, valid ones and ones with exactly one defect.

A stream is a *run-up* of stored bytes and long matches to a chosen offset of the output, then one block of interest
(:mod:`.blocks`), then, mostly, an end. The offset is below 4 KiB, around a multiple of it, around 64 KiB (where inflate
implementations change buffers) or beyond. A defect is one of :data:`~.blocks.DEFECTS`; its name is the stream's kind.

Everything follows from seed and index.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from multifd.fidelity.blocks import DEFECTS, near
from multifd.fidelity.writer import NOISE, Maker
from multifd.framing.container import Container

_KINDS: Final = tuple(DEFECTS)
AFTERMATH: Final = ("", "", "", "", "", "+truncated", "+trailing", "+short-room", "+long-room")
"""What happens to one stream in two once it is made."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream to be decoded."""

    kind: str
    """What is special about it: a class for the report."""
    data: bytes
    room: int
    """Bytes that the decoder may write."""
    container: Container = Container.RAW


def stream(seed: int, index: int) -> Stream:
    """The stream with this index, out of those of this seed; kinds take turns."""
    rng = Random(seed << 40 | index)
    kind = _KINDS[index % len(_KINDS)]
    maker = Maker(rng)
    if rng.random() < 0.8:
        _run_up(maker)
    DEFECTS[kind](maker)
    data, room = maker.bits.take(), max(maker.produced, 1)
    after = rng.choice(AFTERMATH)
    match after:
        case "+truncated":
            data = data[: rng.choice((rng.randrange(len(data)), max(0, len(data) - rng.randint(1, 8))))]
        case "+trailing":
            data += NOISE[: rng.randint(1, 20)]
        case "+short-room":
            room = max(1, room - rng.choice((1, 2, 258, room // 2)))
        case "+long-room":
            room += rng.choice((1, 300, 70000))
    return Stream(kind + after, data, room)


def _run_up(maker: Maker) -> None:
    """To the offset: little, around a multiple of 4 KiB, around 64 KiB, or beyond."""
    rng = maker.rng
    drawn = rng.random()
    if drawn < 0.45:
        target = rng.choice((1, 2, 3, 10, 258, 1000, 3000, 4000))
    elif drawn < 0.85:
        target = 4096 * rng.choice((1, 1, 1, 2, 3, 8, 9)) + rng.randint(-3, 3)
    elif drawn < 0.95:
        target = 65536 + rng.randint(-260, 260)
    else:
        target = rng.randint(66000, 100_000)
    if rng.random() < 0.5:
        maker.stored(min(target, 4096))
    else:
        maker.fixed(final=False)
        maker.literal()
        maker.end()
    if maker.produced < target:
        maker.fixed(final=False)
        while maker.produced < target:
            left = target - maker.produced
            if left < 3:
                maker.literal()
            else:
                maker.match(min(258, left), near(rng, maker.produced))
        maker.end()
