"""Destinations exactly right, a little or much too short, a little too long; and what is written behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.framing.container import Container
from multifd.scrutiny.counterpart import deflated, member, noise, read_back, text
from multifd.scrutiny.memory import Region
from multifd.scrutiny.observation import Observation, Seen, observations
from multifd.scrutiny.subject import SLACK, Subject, compressed, outcome

_STEPS: Final = {
    "one byte longer": 1, "exactly right": 0, "one byte short": -1, "three bytes short": -3,
    "eight bytes short": -8,
}  # fmt: skip
_TINY: Final = 10


def check(subject: Subject) -> Iterator[Observation]:
    """A page, and 70,000 bytes of noise: above 64 KiB libraries work in pieces."""
    for name, content in (("a page", text(4096)), ("70000 bytes", noise(70_000))):
        for step, expected in _expectations(subject):
            outcomes = {c.value: _compress(subject, c, content, step) for c in subject.containers}
            yield from observations(f"compressing {name}, destination {step}", expected, outcomes)
        for step, expected in _expectations(subject):
            outcomes = {c.value: _decompress(subject, c, content, step) for c in subject.containers}
            yield from observations(f"decompressing {name}, destination {step}", expected, outcomes)


def _expectations(subject: Subject) -> Iterator[tuple[str, str]]:
    for step, change in _STEPS.items():
        yield step, "identical" if change >= 0 else subject.short
    yield "of ten bytes", subject.short


def _room(needed: int, step: str) -> int:
    return needed + _STEPS[step] if step in _STEPS else _TINY


def _compress(subject: Subject, container: Container, content: bytes, step: str) -> Seen:
    with subject.open(container) as session:
        needed = compressed(session, content)[0].produced
        session.renew()
        room = Region(_room(needed, step), SLACK)
        answer = session.compress(Region(content, SLACK), room)
    seen = Seen(f"refused: {answer.status}")
    if answer.ok:
        seen = read_back(room.read(answer.produced), content, container)
    return _beyond(seen, room)


def _decompress(subject: Subject, container: Container, content: bytes, step: str) -> Seen:
    data = member(deflated(content, 0, subject.window), content, container, subject.window)
    room = Region(_room(len(content), step), SLACK)
    with subject.open(container) as session:
        answer = session.decompress(Region(data, SLACK), room)
    return _beyond(outcome(answer, room.read(answer.produced), content), room)


def _beyond(seen: Seen, room: Region) -> Seen:
    more = room.overwritten()
    return Seen(f"{seen.words}, and {more} bytes behind the destination", "corruption") if more else seen
