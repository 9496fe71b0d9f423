"""Sources and destinations that end where memory ends: an access behind them is a segmentation fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from multifd.framing.container import Container
from multifd.scrutiny.child import fate
from multifd.scrutiny.counterpart import deflated, member, noise, text
from multifd.scrutiny.memory import Region
from multifd.scrutiny.observation import Observation, Seen, observations, ranges
from multifd.scrutiny.subject import SLACK, Subject

_INSIDE: Final = "stays inside"
_SIZES: Final = (1, 2, 15, 4095, 4096, 70_000)
_UNENDING_NAME: Final = b"\x1f\x8b\x08\x08" + bytes(5) + b"\xff\0" + b"A" * 40


def check(subject: Subject) -> Iterator[Observation]:
    """Whole, cut and prolonged streams; every one in a child of its own."""
    yield from observations("compressing", _INSIDE, {c.value: _compressing(subject, c) for c in subject.containers})
    page = {container: _member(subject, container, text(4096)) for container in subject.containers}
    for name, cut in _CUTS.items():
        streams = {container: cut(data) for container, data in page.items()}
        yield from observations(f"decompressing {name}", _INSIDE, _decompressing(subject, streams, 5000))
    for size in (4096, 70_000):
        content = noise(size)
        whole = {container: {size: _member(subject, container, content, 0)} for container in subject.containers}
        case = f"decompressing {size} stored bytes into just as many"
        yield from observations(case, _INSIDE, _decompressing(subject, whole, size, slack=0))
    named = {c: {0: _UNENDING_NAME} for c in subject.containers if c.startswith("gzip")}
    yield from observations("decompressing a gzip name without end", _INSIDE, _decompressing(subject, named, 5000))


_CUTS: Final[Mapping[str, Callable[[bytes], dict[int, bytes]]]] = {
    "the first N bytes of a stream": lambda data: {size: data[:size] for size in range(1, 25)},
    "a stream without its last N bytes": lambda data: {less: data[:-less] for less in range(1, 10)},
    "a stream with N bytes behind it": lambda data: {more: data + bytes(more) for more in range(6)},
}
"""What is done to a page's stream, by N."""


def _member(subject: Subject, container: Container, content: bytes, level: int = 6) -> bytes:
    return member(deflated(content, level, subject.window), content, container, subject.window)


def _compressing(subject: Subject, container: Container) -> Seen:
    def act() -> str:
        with subject.open(container) as session:
            for size in _SIZES:
                session.compress(Region(noise(size)), Region(size + 1024))
        return _INSIDE

    return fate(act)


def _decompressing(
    subject: Subject, streams: Mapping[Container, Mapping[int, bytes]], room: int, slack: int = SLACK
) -> dict[str, Seen]:
    outcomes = {}
    for container, by_number in streams.items():
        different: dict[str, list[int]] = {}
        for number, data in by_number.items():
            seen = fate(partial(_decompress, subject, container, data, room, slack))
            if seen.words != _INSIDE:
                different.setdefault(seen.words, []).append(number)
        told = ", ".join(f"{seen} at {ranges(numbers)}" for seen, numbers in different.items())
        outcomes[container.value] = Seen(told, "crash") if different else Seen(_INSIDE)
    return outcomes


def _decompress(subject: Subject, container: Container, data: bytes, room: int, slack: int) -> str:
    with subject.open(container) as session:
        session.decompress(Region(data), Region(room, slack))
    return _INSIDE
