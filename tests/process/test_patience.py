"""Who does nothing at its deadline hangs, who computes is slow: with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import Final

import pytest

from multifd.process.patience import MOST, Patience, grown
from multifd.process.threads import group

DEADLINE: Final = 0.6
LATE: Final = 1.5
"""Seconds after the deadline at which a hang has been told on a busy host."""
BUSY: Final = "while True: pass"
SLEEPER: Final = "import time; time.sleep(60)"
POLLING: Final = "import time\nwhile True: time.sleep(0.05)"
STARVED: Final = f"""
import os
os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
if not os.fork():
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
{BUSY}
"""
"""A child that runs when its core has nothing else to do, and a parent that sees to it that it always has."""
WITH_A_CHILD: Final = f"import os, time\nif os.fork():\n    time.sleep(60)\n{BUSY}"


@contextmanager
def process(program: str) -> Iterator[int]:
    """A Python program that runs, with all that it starts."""
    with subprocess.Popen([sys.executable, "-S", "-c", program], start_new_session=True) as started:
        try:
            yield started.pid
        finally:
            os.killpg(started.pid, signal.SIGKILL)


def eventually(look: Callable[[], list[int]]) -> list[int]:
    """What is there, once something is."""
    while not (found := look()):
        time.sleep(0.01)
    return found


def waited(pid: int, seconds: float = DEADLINE, whom: Callable[[], Iterable[int]] | None = None) -> tuple[float, str]:
    """How long a process that answers nothing is waited for, and what is said then."""
    patience, began = Patience(seconds, whom or partial(group, pid)), time.monotonic()
    while (pause := patience.pause()) is not None:
        time.sleep(pause)
    return time.monotonic() - began, patience.within


@pytest.mark.parametrize("program", [SLEEPER, POLLING], ids=["sleeps", "polls"])
def test_who_does_nothing_hangs_at_the_deadline(program: str) -> None:
    with process(program) as pid:
        time.sleep(0.5)  # it is up
        seconds, words = waited(pid)

    assert DEADLINE <= seconds < DEADLINE + LATE
    assert words == "within 0.6 s"


def test_who_is_stopped_hangs_at_the_deadline() -> None:
    with process(BUSY) as pid:
        os.kill(pid, signal.SIGSTOP)

        assert waited(pid)[1] == "within 0.6 s"


def test_who_is_gone_hangs_at_the_deadline() -> None:
    with process(SLEEPER) as pid:
        pass

    assert waited(pid)[1] == "within 0.6 s"


def test_an_endless_loop_ends_at_a_multiple_of_the_deadline() -> None:
    with process(BUSY) as pid:
        seconds, words = waited(pid)

    assert MOST * DEADLINE <= seconds < MOST * DEADLINE + LATE
    assert words == "within 3 s of computing"


def test_who_computes_for_a_while_hangs_when_that_is_over() -> None:
    program = f"import time\nend = time.monotonic() + {2 * DEADLINE}\nwhile time.monotonic() < end: pass\n{SLEEPER}"
    with process(program) as pid:
        seconds, words = waited(pid)

    assert 2 * DEADLINE < seconds < MOST * DEADLINE
    assert words == "within 0.6 s"


def test_who_computes_in_a_child_does_not_hang() -> None:
    with process(WITH_A_CHILD) as pid:
        time.sleep(0.5)

        assert waited(pid)[1] == "within 3 s of computing"


def test_who_wants_to_compute_and_has_no_core_does_not_hang() -> None:
    with process(STARVED) as pid:
        (starved,) = eventually(lambda: [each for each in group(pid) if each != pid])

        assert waited(starved, whom=lambda: [starved])[1] == "within 3 s of computing"


def test_who_is_kept_from_computing_now_and_then_does_not_hang() -> None:
    over = Event()

    def hinder(pid: int) -> None:
        while not over.wait(0.02):
            os.kill(pid, signal.SIGSTOP)
            over.wait(0.2)
            os.kill(pid, signal.SIGCONT)

    with process(BUSY) as pid:
        hindering = Thread(target=hinder, args=(pid,))
        hindering.start()
        words = waited(pid)[1]
        over.set()
        hindering.join()

    assert words == "within 3 s of computing"


def test_a_deadline_shorter_than_the_looks_is_kept_too() -> None:
    with process(SLEEPER) as pid:
        time.sleep(0.5)

        assert waited(pid, 0.1)[1] == "within 0.1 s"


def test_who_waits_does_not_count_as_computing() -> None:
    patience = Patience(0.1, lambda: [os.getpid()])
    ended = []

    def wait() -> None:
        while (pause := patience.pause()) is not None:
            time.sleep(pause)
        ended.append(patience.within)

    waiting = Thread(target=wait)
    waiting.start()
    waiting.join()

    assert ended == ["within 0.1 s"]


def test_a_deadline_grows_with_what_is_handled() -> None:
    assert [grown(30, size) for size in (0, 64 << 20, 2 << 30)] == [30, 38, 286]
