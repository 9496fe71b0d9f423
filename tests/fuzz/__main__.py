"""Hours of it: damaged captures are replayed and damaged packets received, so many as are asked for.

    python -m tests.fuzz --captures 100000 --packets 1000000

Every input follows from its number: what it ends with can be had again with ``--first NUMBER``. An exception that is
not the suite's own, more than ``--memory`` MiB, or an input that takes more than ``--seconds`` of CPU time ends it with
exit 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from multifd.memory.image import GuestMemory
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.apply import Destination
from tests.fuzz.mutation import Chance, Dice, damage
from tests.fuzz.targets import CAPTURES, Recorded, receive, replay
from tests.migrate.recording import FAMILIES, record, script

_TOLD: Final = 10_000
"""Inputs between two lines."""
Target = Callable[[Chance], None]


class Hung(Exception):  # noqa: N818
    """An input took too long."""


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--captures", type=int, default=0, metavar="N", help="damaged captures that are replayed")
    parser.add_argument("--packets", type=int, default=0, metavar="N", help="damaged packets that are received")
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER", help="the first input of each; default 0")
    parser.add_argument("--memory", type=int, default=512, metavar="MIB", help="most resident memory; default 512")
    parser.add_argument("--seconds", type=float, default=20.0, help="most CPU time of one input; default 20")
    given = parser.parse_args(arguments)
    faulthandler.enable()
    signal.signal(signal.SIGVTALRM, _hung)
    with _targets() as targets:
        for name, target in targets.items():
            if not _all(name, target, given.first, getattr(given, name), given.seconds, given.memory):
                return 1
    return 0


def _all(name: str, target: Target, first: int, count: int, seconds: float, memory: int) -> bool:
    begun, slowest = time.process_time(), (0.0, first)
    for number in range(first, first + count):
        at = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            target(Dice(number))
        except BaseException:
            print(f"{name}: input {number}", file=sys.stderr)
            raise
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        now = time.process_time()
        slowest = max(slowest, (now - at, number))
        if (number + 1) % _TOLD == 0 or number + 1 == first + count:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(
                f"{name}: {number + 1 - first}, {now - begun:.0f} s of CPU time, at most {peak} MiB,"
                f" slowest {slowest[0]:.2f} s (input {slowest[1]})",
                flush=True,
            )
            if peak > memory:
                return False
    return True


@contextmanager
def _targets() -> Iterator[dict[str, Target]]:
    """By what they take."""
    scratch = make_scratch(1 << 28)
    try:
        made = (record(scratch / str(family), family, script(scratch / "script")) for family in FAMILIES)
        recorded = [Recorded(capture) for capture in (*CAPTURES, *made)]
        memories = {
            each: GuestMemory.create(
                scratch / f"memory-{n}", each.capture.manifest.ramblocks, each.capture.manifest.page_size
            )
            for n, each in enumerate(recorded)
        }
        directory = scratch / "damaged"
        directory.mkdir()

        def of_captures(chance: Chance) -> None:
            for path in directory.glob("*.*"):
                path.unlink()
            chance.one_of(recorded).damaged(chance, directory)
            replay(directory)

        def of_packets(chance: Chance) -> None:
            each = chance.one_of(recorded)
            receive(damage(chance, chance.one_of(each.packets)), each.capture, Destination(memories[each]))

        yield {"captures": of_captures, "packets": of_packets}
    finally:
        remove_scratch(scratch)


def _hung(_: int, __: FrameType | None) -> None:
    raise Hung("it took too long")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
