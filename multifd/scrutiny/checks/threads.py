"""Several threads, each with a session or job of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from multifd.framing.container import Container
from multifd.scrutiny.counterpart import read_back, text
from multifd.scrutiny.observation import Observation, Seen, observations, worst
from multifd.scrutiny.subject import Subject, compressed, decompressed

_THREADS: Final = 4
_ROUNDS: Final = 150


def check(subject: Subject) -> Iterator[Observation]:
    """Round trips of different pages; the foreign functions run without the interpreter's lock."""
    for container in subject.containers:
        with ThreadPoolExecutor(_THREADS) as pool:
            threads = pool.map(lambda number, c=container: _round_trips(subject, c, number), range(_THREADS))
            outcomes = {f"thread {number}": outcome for number, outcome in enumerate(threads)}
        yield from observations(f"{container.value}: {_ROUNDS} round trips in each thread", "identical", outcomes)


def _round_trips(subject: Subject, container: Container, number: int) -> Seen:
    seen: Counter[Seen] = Counter()
    with subject.open(container) as session:
        for turn in range(_ROUNDS):
            page = text(1 << 20)[4096 * (number + _THREADS * (turn % 60)) :][:4096]
            session.renew()
            answer, data = compressed(session, page)
            seen[read_back(data, page, container) if answer.ok else Seen(f"refused: {answer.status}")] += 1
            seen[decompressed(session, data, page)] += 1
    if len(seen) == 1:
        return next(iter(seen))
    told = ", ".join(f"{count} x {one.words}" for one, count in seen.items())
    return Seen(told, worst(one.harm for one in seen))
