"""What a process uses is counted, and what grows without settling is told."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from multifd.process.footprint import SMALLEST, STEADY, Footprint, growth

STEPS: Final = STEADY + 2
HOLDING: Final = """
import os, sys, threading, time
held = []
for line in sys.stdin:
    match line.strip():
        case "descriptor": held.append(os.open(os.devnull, os.O_RDONLY))
        case "thread": threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        case "memory": held.append(os.urandom(64 << 10))
    print("done", flush=True)
"""
"""A process that leaks what it is told to."""


def used(*descriptors: int, memory: int = 0) -> list[Footprint]:
    return [Footprint(count, 4, 9000 + number * memory) for number, count in enumerate(descriptors)]


@contextmanager
def leaking() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-S", "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def after_each(what: str) -> list[Footprint]:
    """The footprints of a process after each of the times that it leaked."""
    found = []
    with leaking() as process:
        assert process.stdin is not None and process.stdout is not None
        for _ in range(STEPS):
            process.stdin.write(f"{what}\n")
            process.stdin.flush()
            process.stdout.readline()
            found.append(Footprint.of(process.pid))
    return found


def test_a_process_that_leaks_nothing_does_not_grow() -> None:
    assert growth(after_each("nothing")) == []


@pytest.mark.parametrize(
    ("what", "grows"),
    [("descriptor", "file descriptors grow"), ("thread", "threads grow"), ("memory", "memory grows by")],
)
def test_a_process_that_leaks_is_found(what: str, grows: str) -> None:
    assert any(words.startswith(grows) for words in growth(after_each(what)))


def test_one_descriptor_at_the_end_is_one_too_many() -> None:
    assert growth(used(*[7] * (STEPS - 1), 8)) == ["file descriptors grow from 7 to 8"]


def test_what_the_first_steps_take_is_no_leak() -> None:
    assert growth(used(5, *[7] * (STEADY + 1))) == []


def test_memory_that_grows_less_than_the_bound_is_not_told() -> None:
    assert growth(used(*[7] * STEPS, memory=SMALLEST - 1)) == []
    assert growth(used(*[7] * STEPS, memory=SMALLEST)) != []


def test_memory_that_jumps_once_is_no_leak() -> None:
    steady = used(*[7] * STEPS)
    steady[-1] = Footprint(7, 4, 9000 + 100 * SMALLEST)

    assert growth(steady) == []


def test_a_leak_is_told_in_whole_kib() -> None:
    leaking = itertools.accumulate([300, 17, 17, 17, 17], initial=9000)

    (words,) = growth([Footprint(7, 4, memory) for memory in leaking])

    assert words == "memory grows by 17 KiB each time, from 9000 to 9368 KiB"


def test_memory_that_settles_is_no_leak() -> None:
    settling = itertools.accumulate([16, 16, 16, 4, 0], initial=9000)

    assert growth([Footprint(7, 4, memory) for memory in settling]) == []


def test_memory_is_not_told_where_it_is_not_looked_at() -> None:
    assert growth(used(*[7] * STEPS, memory=1000), memory=False) == []


def test_a_process_that_is_gone_has_no_footprint() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        process.wait()

    with pytest.raises(OSError, match="No such"):
        Footprint.of(process.pid)
