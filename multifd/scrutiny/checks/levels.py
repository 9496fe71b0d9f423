"""Every level and every container, in both directions against zlib, and levels that do not exist."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from multifd.framing.container import Container
from multifd.scrutiny.counterpart import deflated, member, noise, read_back, text
from multifd.scrutiny.observation import Observation, Seen, observations
from multifd.scrutiny.subject import Refused, Subject, compressed, decompressed

_PAGE: Final = 4096
_LEVELS: Final = (0, 1, 6, 9)
_STRATEGIES: Final = {"fixed codes": zlib.Z_FIXED, "literals only": zlib.Z_HUFFMAN_ONLY, "runs only": zlib.Z_RLE}


def check(subject: Subject) -> Iterator[Observation]:
    """A page of text each."""
    page = text(_PAGE)
    for mode, expected in subject.modes.items():
        outcomes = {container.value: _compress(subject, container, mode, page) for container in subject.containers}
        yield from observations(f"compressed with {mode}, read by zlib", expected, outcomes)
    streams = {f"level {level}": deflated(page, level, subject.window) for level in _LEVELS}
    streams |= {name: deflated(page, 6, subject.window, strategy) for name, strategy in _STRATEGIES.items()}
    for name, raw in streams.items():
        yield from observations(f"zlib's stream ({name}) decompressed", "identical", _decompress(subject, raw, page))
    for where, before in (("at once", b""), ("behind 64 KiB", noise(70_000))):
        far = before + noise(5000) * 2
        seen = _decompress(subject, deflated(far), far)
        yield from observations(f"a distance of 5000 {where} decompressed", subject.far, seen)


def _compress(subject: Subject, container: Container, mode: str, page: bytes) -> Seen:
    try:
        with subject.open(container, mode) as session:
            answer, data = compressed(session, page)
    except Refused as refusal:
        return Seen(f"refused: {refusal}")
    return read_back(data, page, container) if answer.ok else Seen(f"refused: {answer.status}")


def _decompress(subject: Subject, raw: bytes, content: bytes) -> dict[str, Seen]:
    outcomes = {}
    for container in subject.containers:
        with subject.open(container) as session:
            data = member(raw, content, container, subject.window)
            outcomes[container.value] = decompressed(session, data, content)
    return outcomes
