"""A stand-in for silicon that is wrong in a way of its own: ``standins.py WAY ROOT CODEC [PARAMETER=VALUE ...]``.

Each computes what it is asked for, and is wrong only in what its device counts, or in how long it lives. ``perfect`` is
the example's own.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from examples.silicon.counters import FORMS, Counter, Form
from examples.silicon.standin import Count, StandIn, under_a_false_flag
from multifd.codec import create

LONG: Final = 3600.0
"""Seconds that nobody waits."""
MIDDLE: Final = 500
"""Jobs of a process after which something happens to it: more than a probe has, and fewer than a whole run."""


def perfect(counter: Counter) -> Count:
    """Every job is done by the device."""
    return counter.add


def liar(counter: Counter) -> Count:
    """No job is, and nobody says so."""
    return lambda _: None


def one_in_ten(counter: Counter) -> Count:
    """One job of ten is done in software without a word."""
    calls = count(1)
    return lambda jobs: counter.add(jobs if next(calls) % 10 else 0)


def doubled(counter: Counter) -> Count:
    """Each job is counted twice, as if somebody else did the same all the time."""
    return lambda jobs: counter.add(2 * jobs)


def reset(counter: Counter) -> Count:
    """In the middle the device is taken down and up again, and forgets what it has counted."""
    return _then(counter, counter.reset)


def gone(counter: Counter) -> Count:
    """In the middle the device is gone, and all is software from then on."""
    calls = count(1)
    return lambda jobs: counter.add(jobs if next(calls) < MIDDLE else 0)


def killed(counter: Counter) -> Count:
    """In the middle the process dies, with what it has counted."""
    return _then(counter, lambda: os.kill(os.getpid(), signal.SIGKILL))


def stuck(counter: Counter) -> Count:
    """In the middle a job never ends."""
    return _then(counter, lambda: time.sleep(LONG))


def _then(counter: Counter, happens: Callable[[], object]) -> Count:
    calls = count(1)

    def add(jobs: int) -> None:
        counter.add(jobs)
        if next(calls) == MIDDLE:
            happens()

    return add


WAYS: Final[Mapping[str, Callable[[Counter], Count]]] = {
    "perfect": perfect,
    "multiplexed": perfect,
    "liar": liar,
    "one-in-ten": one_in_ten,
    "doubled": doubled,
    "reset": reset,
    "gone": gone,
    "killed": killed,
    "stuck": stuck,
}


def form(way: str, device: str) -> Form:
    """How the device's counter is shown."""
    shown = FORMS[device]
    return replace(shown, text=lambda jobs: _starved(shown.text(jobs))) if way == "multiplexed" else shown


def _starved(text: str) -> str:
    """An event that had its counter for half the time."""
    jobs, enabled, running = text.split()
    return f"{jobs:>20} {enabled:>20} {int(running) // 2:20}\n"


def main(way: str, root: str, codec: str, *parameters: str) -> int:
    """Serve on stdin and stdout."""
    given = {name: int(value) for name, _, value in (parameter.partition("=") for parameter in parameters)}
    made = create(codec, given)
    counter = Counter(Path(root), form(way, made.device or ""))
    return StandIn(under_a_false_flag(made, WAYS[way](counter)), way, sys.stdout).serve(sys.stdin)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
