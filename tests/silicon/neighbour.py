"""Somebody else who uses a device: ``neighbour.py HABIT ROOT DEVICE``, until it is killed.

It says ``at work`` when it has begun. ``now-and-then`` it has some jobs, at random times; ``all-the-time`` it has one
after another; ``well-behaved`` it has many, while it has the device for itself, as another run of this project has.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from examples.silicon.counters import FORMS, Counter
from multifd.accelerator import by_name
from multifd.device.diagnose import detect
from multifd.device.exclusive import Exclusive
from multifd.device.sysfs import Host

_LOT: Final = 40


def now_and_then(root: Path, device: str, counter: Counter) -> None:
    """Ten times a second or so."""
    while True:
        time.sleep(random.uniform(0, 0.2))
        counter.add(random.randint(1, _LOT))


def all_the_time(root: Path, device: str, counter: Counter) -> None:
    """As fast as may be without taking the processor from those who are watched."""
    while True:
        time.sleep(0.0005)
        counter.add(1)


def well_behaved(root: Path, device: str, counter: Counter) -> None:
    """In turns with everybody else of this project."""
    host, accelerator = Host(root), by_name(device)
    devices = [each for each in detect(host) if accelerator is not None and each.kind == accelerator.kind]
    exclusive = Exclusive(host)
    while True:
        with exclusive.holding(devices):
            for _ in range(_LOT):
                counter.add(1)
                time.sleep(0.0005)
        time.sleep(0.02)


HABITS: Final[Mapping[str, Callable[[Path, str, Counter], None]]] = {
    "now-and-then": now_and_then,
    "all-the-time": all_the_time,
    "well-behaved": well_behaved,
}


def main(habit: str, root: str, device: str) -> None:
    """Be one."""
    counter = Counter(Path(root), FORMS[device])
    print("at work", flush=True)
    HABITS[habit](Path(root), device, counter)


if __name__ == "__main__":
    main(*sys.argv[1:])
