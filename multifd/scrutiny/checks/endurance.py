"""Long runs, and what a process has more of afterwards: memory, threads, pthread keys, file descriptors."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

from multifd.scrutiny.child import Died, in_child
from multifd.scrutiny.counterpart import deflated, member, text
from multifd.scrutiny.memory import Region
from multifd.scrutiny.observation import Observation, Seen, observations
from multifd.scrutiny.subject import SLACK, Subject

CALLS: Final = 100_000
"""Enough to exhaust whatever is limited to thousands, in two seconds."""
_PAGE: Final = text(4096)
_NOTHING: Final = "nothing more"
_PTHREAD_KEYS_MAX: Final = 1024
_TOLERATED: Final = 4096
"""KiB by which memory may grow: allocators keep some for themselves."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a process has."""

    memory: int
    """KiB resident."""
    threads: int
    keys: int
    """pthread keys in use."""
    descriptors: int

    @classmethod
    def now(cls) -> Self:
        """Of this process."""
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        return cls(int(status["VmRSS"].split()[0]), int(status["Threads"]), _keys(), descriptors)

    def since(self, before: Self) -> dict[str, int]:
        """What has become more, by name."""
        memory = self.memory - before.memory
        return {
            "KiB of memory": memory if memory > _TOLERATED else 0,
            "threads": self.threads - before.threads,
            "pthread keys": self.keys - before.keys,
            "file descriptors": self.descriptors - before.descriptors,
        }


def check(subject: Subject, calls: int = CALLS) -> Iterator[Observation]:
    """So many calls in every way, each way in a process of its own."""
    for name, (share, act) in _WAYS.items():
        times = calls // share
        print(f"{times} times: {name}", file=sys.stderr)
        yield from observations(f"{times} times: {name}", _NOTHING, _grown(partial(_watched, subject, act, times)))


def _watched(subject: Subject, act: Callable[[Subject, int], None], times: int) -> str:
    act(subject, 10)
    before = Holdings.now()
    act(subject, times)
    return json.dumps(Holdings.now().since(before))


def _grown(watched: Callable[[], str]) -> dict[str, Seen]:
    try:
        grown: dict[str, int] = json.loads(in_child(watched))
    except Died as death:
        return {"process": Seen(str(death), "crash")}
    return {name: Seen(f"{count} more", "leak") if count > 0 else Seen(_NOTHING) for name, count in grown.items()}


def _round_trips(subject: Subject, times: int) -> None:
    page, packed, room = Region(_PAGE, SLACK), Region(8192, SLACK), Region(4096, SLACK)
    with subject.open(subject.containers[0]) as session:
        answer = session.compress(page, packed)
        data = Region(packed.read(answer.produced), SLACK)
        for _ in range(times // 2):
            session.compress(page, packed)
            session.decompress(data, room)


def _sessions(subject: Subject, times: int) -> None:
    for _ in range(times):
        with subject.open(subject.containers[0]):
            pass


def _short_compressions(subject: Subject, times: int) -> None:
    page, tiny = Region(_PAGE, SLACK), Region(10, SLACK)
    with subject.open(subject.containers[0]) as session:
        for _ in range(times):
            session.compress(page, tiny)


def _damaged_streams(subject: Subject, times: int) -> None:
    container = subject.containers[0]
    data = bytearray(member(deflated(_PAGE, 6, subject.window), _PAGE, container, subject.window))
    data[len(data) // 2] ^= 0xFF
    damaged, room = Region(bytes(data), SLACK), Region(4096, SLACK)
    with subject.open(container) as session:
        for _ in range(times):
            session.decompress(damaged, room)
            session.renew()


_WAYS: Final[Mapping[str, tuple[int, Callable[[Subject, int], None]]]] = {
    "a page there and back": (1, _round_trips),
    "a session set up and torn down": (10, _sessions),
    "a compression into ten bytes": (100, _short_compressions),
    "a damaged stream, and set up again": (10, _damaged_streams),
}
"""The long runs: by how much shorter than the longest, and what is done."""


def _keys() -> int:
    """pthread keys in use: all that there are, less those that are still to be had."""
    libc, key, taken = ctypes.CDLL(None), ctypes.c_uint(), []
    while libc.pthread_key_create(ctypes.byref(key), None) == 0:
        taken.append(key.value)
    for number in taken:
        libc.pthread_key_delete(number)
    return _PTHREAD_KEYS_MAX - len(taken)
