"""A session or job after whatever may have happened to it: does the next good page come out right?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from multifd.framing.container import Container
from multifd.scrutiny.counterpart import deflated, member, read_back, text
from multifd.scrutiny.memory import Region
from multifd.scrutiny.observation import Observation, Seen, observations
from multifd.scrutiny.subject import SLACK, Session, Subject, compressed, decompressed

_BEFORE: Final = text(8192)[4096:]
_PAGE: Final = text(4096)
_SAME: Final = "the same size every time"

Event = Callable[[Session, bytes], object]
"""Takes the session and the stream of a good page."""

_EVENTS: Final[Mapping[str, Event]] = {
    "a compression": lambda session, _: compressed(session, _BEFORE),
    "a decompression": lambda session, data: decompressed(session, data, _PAGE),
    "a compression into ten bytes": lambda session, _: compressed(session, _BEFORE, 10),
    "a decompression into ten bytes": lambda session, data: decompressed(session, data, _PAGE, 10),
    "half a stream": lambda session, data: decompressed(session, data[: len(data) // 2], _PAGE),
    "a damaged stream": lambda session, data: decompressed(session, _damaged(data), _PAGE),
    "garbage": lambda session, _: decompressed(session, b"no stream at all, but forty bytes of letters", _PAGE),
}


def check(subject: Subject) -> Iterator[Observation]:
    """Every event, then a page in each direction; every time with a session of its own."""
    for name, event in _EVENTS.items():
        there = {c.value: _after(subject, c, event, _compress) for c in subject.containers}
        yield from observations(f"compressing after {name}", "identical", there)
        back = {c.value: _after(subject, c, event, _decompress) for c in subject.containers}
        yield from observations(f"decompressing after {name}", "identical", back)
    thrice = {container.value: _thrice(subject, container) for container in subject.containers}
    yield from observations("one page compressed three times", _SAME, thrice)


def _stream(subject: Subject, container: Container) -> bytes:
    return member(deflated(_PAGE, 6, subject.window), _PAGE, container, subject.window)


def _after(subject: Subject, container: Container, event: Event, then: Callable[..., Seen]) -> Seen:
    data = _stream(subject, container)
    with subject.open(container) as session:
        event(session, data)
        return then(session, container, data)


def _compress(session: Session, container: Container, _: bytes) -> Seen:
    answer, data = compressed(session, _PAGE)
    return read_back(data, _PAGE, container) if answer.ok else Seen(f"refused: {answer.status}")


def _decompress(session: Session, _: Container, data: bytes) -> Seen:
    return decompressed(session, data, _PAGE)


def _thrice(subject: Subject, container: Container) -> Seen:
    with subject.open(container) as session:
        room = Region(8192, SLACK)
        sizes = [session.compress(Region(_PAGE, SLACK), room).produced for _ in range(3)]
    return Seen(_SAME if len(set(sizes)) == 1 else "different sizes")


def _damaged(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 0xFF for byte in data[middle : middle + 8]) + data[middle + 8 :]
