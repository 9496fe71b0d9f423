"""Sizes from nothing to 4 MiB around every threshold: pages, 64 KiB (stored blocks, QATzip's buffers), 512 KiB (a
multifd packet), 2 MiB (a job of the accelerator)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Final

from multifd.framing.container import Container
from multifd.scrutiny.counterpart import deflated, member, noise, read_back, text
from multifd.scrutiny.observation import Observation, Seen, observations
from multifd.scrutiny.subject import Session, Subject, compressed, decompressed

_AROUND: Final = (1024, 4096, 65536, 131072)
_SMALL: Final = (0, 1, 2, 3, 17, *sorted(size + step for size in _AROUND for step in (-1, 0, 1)))
_LARGE: Final = (512 << 10, 1 << 20, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 4 << 20)


def check(subject: Subject) -> Iterator[Observation]:
    """Text of all sizes and noise of the smaller ones, in both directions."""
    for container in subject.containers:
        for kind, make, sizes in (("text", text, (*_SMALL, *_LARGE)), ("noise", noise, _SMALL)):
            print(f"{container.value}: {kind}", file=sys.stderr)
            there, back = _both(subject, container, make, sizes)
            yield from observations(f"{container.value}: {kind} compressed, read by zlib", "identical", there)
            yield from observations(f"{container.value}: zlib's {kind} decompressed", "identical", back)


def _both(
    subject: Subject, container: Container, make: Callable[[int], bytes], sizes: tuple[int, ...]
) -> tuple[dict[str, Seen], dict[str, Seen]]:
    there, back = {}, {}
    with subject.open(container) as session:
        for size in sizes:
            content = make(size)
            # Reuse is a check of its own.
            session.renew()
            there[str(size)] = _there(session, content, container)
            session.renew()
            data = member(deflated(content, 1, subject.window), content, container, subject.window)
            back[str(size)] = decompressed(session, data, content)
    return there, back


def _there(session: Session, content: bytes, container: Container) -> Seen:
    answer, data = compressed(session, content)
    return read_back(data, content, container) if answer.ok else Seen(f"refused: {answer.status}")
