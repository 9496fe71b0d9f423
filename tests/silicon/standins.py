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
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from examples.silicon.counters import FORMS, Counter, Form
from examples.silicon.standin import Count, under_a_false_flag
from multifd.codec import create
from multifd.peer.server import PeerServer

LONG: Final = 3600.0
"""Seconds that nobody waits."""
MIDDLE: Final = 500
"""Jobs of a process after which something happens to it: more than a probe has, and fewer than a whole run."""


@dataclass(frozen=True)
class Device:
    """Where a stand-in's jobs may be counted."""

    root: Path
    form: Form

    def counter(self, form: Form | None = None) -> Counter:
        """The device's counter, shown as its driver does, or otherwise."""
        return Counter(self.root, form or self.form)


def perfect(device: Device) -> Count:
    """Every job is done by the device."""
    return device.counter().add


def uncounted(device: Device) -> Count:
    """No job is counted: nobody counts, or nothing is done by the device and nobody says so."""
    return lambda _: None


def one_in_ten(device: Device) -> Count:
    """One job of ten is done in software without a word."""
    counter, calls = device.counter(), count(1)
    return lambda jobs: counter.add(jobs if next(calls) % 10 else 0)


def multiplexed(device: Device) -> Count:
    """The event has its counter for half of the time, for others want it too."""

    def starved(jobs: int) -> str:
        counted, enabled, running = device.form.text(jobs).split()
        return f"{counted:>20} {enabled:>20} {int(running) // 2:20}\n"

    return device.counter(replace(device.form, text=starved)).add


def reset(device: Device) -> Count:
    """In the middle the device is taken down and up again, and forgets what it has counted."""
    counter = device.counter()
    return _then(counter, counter.reset)


def gone(device: Device) -> Count:
    """In the middle the device is gone, and all is software from then on."""
    counter, calls = device.counter(), count(1)
    return lambda jobs: counter.add(jobs if next(calls) < MIDDLE else 0)


def dying(device: Device) -> Count:
    """In the middle the process dies, with what it has counted."""
    return _then(device.counter(), lambda: os.kill(os.getpid(), signal.SIGSEGV))


def stuck(device: Device) -> Count:
    """In the middle a job never ends."""
    return _then(device.counter(), lambda: time.sleep(LONG))


def _then(counter: Counter, happens: Callable[[], object]) -> Count:
    calls = count(1)

    def add(jobs: int) -> None:
        counter.add(jobs)
        if next(calls) == MIDDLE:
            happens()

    return add


WAYS: Final[Mapping[str, Callable[[Device], Count]]] = {
    "perfect": perfect,
    "uncounted": uncounted,
    "one-in-ten": one_in_ten,
    "multiplexed": multiplexed,
    "reset": reset,
    "gone": gone,
    "dying": dying,
    "stuck": stuck,
}


def main(way: str, root: str, codec: str, *parameters: str) -> int:
    """Serve on stdin and stdout."""
    given = {name: int(value) for name, _, value in (parameter.partition("=") for parameter in parameters)}
    made = create(codec, given)
    count_jobs = WAYS[way](Device(Path(root), FORMS[made.device or ""]))
    return PeerServer(under_a_false_flag(made, count_jobs), way, sys.stdout).serve(sys.stdin)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
