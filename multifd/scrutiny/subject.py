"""What a check needs of a library; one module per library provides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from multifd.framing.container import Container
from multifd.scrutiny.memory import Region
from multifd.scrutiny.observation import Seen

SLACK = 64
"""Bytes behind a destination that no check is about: more than any known overrun."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call returned: its status by the library's own name, and the bytes that it says it wrote."""

    status: str
    produced: int
    ok: bool


class Refused(Exception):  # noqa: N818  (an answer, not an accident)
    """The library does not set up such a session; the text is its status."""


class Session(Protocol):
    """A session or job of the library, called as C does; a context manager."""

    def compress(self, source: Region, room: Region) -> Answer:
        """One whole buffer."""

    def decompress(self, source: Region, room: Region) -> Answer:
        """One whole buffer."""

    def renew(self) -> None:
        """As freshly set up."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Subject(Protocol):
    """A library, and what its documentation promises."""

    name: str
    containers: tuple[Container, ...]
    window: int
    """Bits of the window of both directions."""
    modes: Mapping[str, str]
    """Settings of the encoder by name, the usual one first; what compressing a page with them must come to."""
    far: str
    """What must come of data with distances of up to 32 KiB."""
    short: str
    """What must come of a destination that is too short."""

    def open(self, container: Container, mode: str = "") -> Session:
        """A session with the usual mode, or a named one; raises :class:`Refused`."""


def compressed(session: Session, content: bytes, room: int | None = None) -> tuple[Answer, bytes]:
    """Compress into a destination of ``room`` bytes, by default ample."""
    target = Region(len(content) + len(content) // 8 + 1024 if room is None else room, SLACK)
    answer = session.compress(Region(content, SLACK), target)
    return answer, target.read(answer.produced)


def decompressed(session: Session, data: bytes, content: bytes, room: int | None = None) -> Seen:
    """Decompress into a destination of ``room`` bytes, by default as large as the content; what came of it."""
    target = Region(len(content) if room is None else room, SLACK)
    answer = session.decompress(Region(data, SLACK), target)
    return outcome(answer, target.read(answer.produced), content)


def outcome(answer: Answer, got: bytes, content: bytes) -> Seen:
    """A decompression: ``identical`` or what else."""
    if not answer.ok:
        return Seen(f"refused: {answer.status}")
    if answer.produced != len(content):
        return Seen(f"OK with {answer.produced} of {len(content)} bytes")
    return Seen("identical") if got == content else Seen("OK with wrong bytes", "corruption")
