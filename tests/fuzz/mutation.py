"""Recorded bytes, damaged: what a fuzz target is put before."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, Protocol, TypeVar

from hypothesis import strategies as st

_EDGES: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 64) - 1)
"""Numbers at which readers trip."""
_WORDS: Final = (
    b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 5000, b"[" * 2000, b'"\\ud800"', b"\\u0000", b"\\u202e", b"\xff",
    b"*a", b"&a ", b"<<: ", b"!!python/name:os ", b".inf", b"/", b"..", b"=", b"\n", b" ",
)  # fmt: skip
"""What readers of text trip over."""
_MOST: Final = 6
"""Edits of one input."""
_KINDS: Final = (*("bit", "number", "bytes") * 3, "insert", "remove", "repeat", "end")
"""What moves all that follows is seldom: readers stop at the next header."""

T = TypeVar("T")


class Chance(Protocol):
    """Who says what is damaged, and how."""

    def number(self, least: int, most: int) -> int:
        """One of these, both included."""
        ...

    def one_of(self, choices: Sequence[T]) -> T:
        """One of these."""
        ...

    def content(self, most: int) -> bytes:
        """At most so many bytes."""
        ...


class Dice:
    """Chance that needs no memory: what it did is known by its number."""

    def __init__(self, number: int) -> None:
        self._random = Random(number)

    def number(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def one_of(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def content(self, most: int) -> bytes:
        return self._random.randbytes(self._random.randint(0, most))


class _Drawn:
    """That of Hypothesis, which makes what it finds as small as it can."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def number(self, least: int, most: int) -> int:
        return self._draw(st.integers(least, most))

    def one_of(self, choices: Sequence[T]) -> T:
        return self._draw(st.sampled_from(choices))

    def content(self, most: int) -> bytes:
        return self._draw(st.binary(max_size=most))


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes], *, text: bool = False) -> bytes:
    """One of the seeds after a few edits."""
    drawn = _Drawn(draw)
    return damage(drawn, drawn.one_of(seeds), text=text)


def damage(chance: Chance, seed: bytes, *, text: bool = False) -> bytes:
    """Bytes overwritten, put in, cut out, doubled, or the end cut off; of ``text`` also words put in."""
    content = bytearray(seed)
    kinds = (*_KINDS, "word", "word", "word") if text else _KINDS
    for _ in range(chance.number(1, _MOST)):
        # Headers are at the start, and small beside payloads: half of all edits are made there.
        near = chance.number(0, 1)
        at = chance.number(0, min(len(content), 2048) if near else len(content))
        match chance.one_of(kinds):
            case "bit" if at < len(content):
                content[at] ^= 1 << chance.number(0, 7)
            case "number":
                size = chance.one_of((1, 2, 4, 8))
                at -= at % size  # as fields mostly stand
                number = chance.one_of(_EDGES) & ((1 << 8 * size) - 1)
                content[at : at + size] = number.to_bytes(size)
            case "bytes":
                new = chance.content(16)
                content[at : at + len(new)] = new
            case "insert":
                content[at:at] = chance.content(16)
            case "remove":
                del content[at : at + chance.number(1, 64)]
            case "repeat":
                content[at:at] = content[at : at + chance.number(1, 1500)]
            case "word":
                content[at : at + chance.one_of((0, 1, 4))] = chance.one_of(_WORDS)
            case _:
                del content[at:]
    return bytes(content)
