"""What the tap costs that stands in every cell with a real QEMU, in migrations of a QEMU to itself.

A run is one migration of a stopped guest, from ``migrate`` to the moment when both sides have the status ``completed``.
The kinds take turns on the same cores, each with new processes and a new destination:

=========  ===========================================================================================
run        between the two processes
=========  ===========================================================================================
direct     nothing
tapped     the tap as a cell has it: it forwards every byte, its witness looks at every header
=========  ===========================================================================================

The ratio is that of wall times, tapped to direct, the median over pairs of runs that follow each other; at most 1.05 is
wanted. Both QEMUs and the tap share the host's cores: with fewer than three that are free it takes its time from them,
which CPU time tells: the last column is the tap's own, of all threads, in parts of both QEMUs'.

Three quarters of the memory are text and the rest is zero, in tmpfs where there is room. Every destination is compared
with the source afterwards, and everything that the witness looks at has to hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import click
from rich.console import Console
from rich.table import Table

from multifd.errors import HarnessError, InputError, MultifdError
from multifd.lineup.peers import QemuPeer
from multifd.lineup.qemus import resolve_qemus
from multifd.memory.corpus import generate
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.tap import Tap
from multifd.qemu.binary import FOUND, named
from multifd.qemu.facts import machine_dialect
from multifd.qemu.guest import Guest, Machine, start
from multifd.qemu.migration import Terms, incoming, outgoing, watch
from multifd.qemu.recording import digest
from multifd.wire.invariants import Sender
from multifd.wire.promise import promise_of
from multifd.wire.witness import Witness

UNITS: Final = {"M": 1 << 20, "G": 1 << 30}
STRETCH: Final = 16 << 20
"""Bytes of memory that begin with text and end with zeros."""
TEXT: Final = STRETCH // 4 * 3
START: Final = 60.0
"""Seconds until a process must be up."""
DEADLINE: Final = 300.0
"""Seconds after which a run is given up."""
METHODS: Final = ("none", "zlib")


class Run(NamedTuple):
    """What a run took, in seconds."""

    wall: float
    qemu: float
    """CPU time of both QEMUs."""
    ours: float
    """CPU time of this process."""


@dataclass(frozen=True)
class Figures:
    """Of one method: median wall times in seconds, and median ratios."""

    direct: float
    tapped: float
    ratio: float
    cpu: float
    """What this process took more with the tap, in parts of the QEMUs' CPU time."""


@dataclass(frozen=True)
class Bench:
    """One QEMU and one memory; a run raises HarnessError if not everything arrived, or something did not hold."""

    qemu: QemuPeer
    machine: str
    source: Path
    """The guest's memory."""
    scratch: Path
    channels: int

    def run(self, method: str, *, tapped: bool) -> Run:
        """One migration."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as place, ExitStack() as stack:
            directory = Path(place)
            ram = directory / "ram"
            with ram.open("wb") as file:
                file.truncate(self.source.stat().st_size)
            witness = Witness(self._sender(method)) if tapped else None
            run, transferred = asyncio.run(self._migrate(method, ram, stack, witness))
            if witness is not None:
                watched = witness.conclude(completed=True, transferred=transferred)
                if watched.broken or watched.unseen:
                    raise HarnessError(f"{method}: {'; '.join(watched.broken + watched.unseen)}")
            if digest(ram) != digest(self.source):
                raise HarnessError(f"{method}: memory differs after a run")
            return run

    async def _migrate(self, method: str, ram: Path, stack: ExitStack, witness: Witness | None) -> tuple[Run, int]:
        place, tap = ram.parent, None
        async with (
            self._guest("source", self.source, place) as source,
            self._guest("destination", ram, place, "-incoming", "defer") as destination,
        ):
            terms = Terms(method, self.channels, pause=False)
            address = await incoming(destination, terms, f"unix:{place / 'upstream'}")
            if witness is not None:
                tap = stack.enter_context(Tap(f"unix:{place / 'tap'}", address, None, DEADLINE, witness=witness))
                address = tap.address
            before, own = source.cpu_seconds + destination.cpu_seconds, _cpu()
            began = time.monotonic()
            await outgoing(source, terms, address)
            course = await watch(source, destination, DEADLINE)
            wall = time.monotonic() - began
            cpu = source.cpu_seconds + destination.cpu_seconds - before
            run = Run(wall, cpu, _cpu() - own)
            for end in filter(None, (course.source, course.destination)):
                if not end.completed:
                    raise HarnessError(f"{method}: QEMU is {end.fate}, expected completed: {end.words}")
        if tap is not None:
            tap.wait()
        return run, course.source.bytes_sent

    def _guest(self, side: str, ram: Path, place: Path, *further: str) -> AbstractAsyncContextManager[Guest]:
        machine = Machine(self.machine, ram, self.source.stat().st_size)
        return start(self.qemu.binary, side, place, [*machine.arguments(), *further], START)

    def _sender(self, method: str) -> Sender:
        facts = self.qemu.facts
        sync = machine_dialect(self.machine).main_sync
        promise = promise_of(facts.version)
        flag = facts.dialect.flag(method)
        return Sender(facts.dialect, flag, method == "none", facts.arch.page_size, promise, sync, self.channels)


def measure(bench: Bench, methods: Sequence[str], repeat: int) -> dict[str, Figures]:
    """Both kinds of run in turns, ``repeat`` times; who begins changes."""
    runs: defaultdict[tuple[str, bool], list[Run]] = defaultdict(list)
    for number in range(repeat):
        for method in methods:
            for tapped in (number % 2 == 1, number % 2 == 0):
                runs[method, tapped].append(bench.run(method, tapped=tapped))
    return {method: _figures(runs[method, False], runs[method, True]) for method in methods}


def _figures(direct: list[Run], tapped: list[Run]) -> Figures:
    together = list(zip(direct, tapped, strict=True))
    median = statistics.median
    return Figures(
        direct=median(run.wall for run in direct),
        tapped=median(run.wall for run in tapped),
        ratio=median(ours.wall / bare.wall for bare, ours in together),
        cpu=median((ours.ours - bare.ours) / ours.qemu for bare, ours in together),
    )


def _cpu() -> float:
    times = os.times()
    return times.user + times.system


def _fill(path: Path, size: int) -> None:
    stretch = bytes(generate("text", TEXT, seed=0)).ljust(STRETCH, b"\0")
    with path.open("wb") as file:
        for at in range(0, size, STRETCH):
            file.write(stretch[: size - at])


def _show(bench: Bench, figures: Mapping[str, Figures]) -> None:
    table = Table("", f"QEMU {bench.qemu.facts.release} to itself", "tapped", "ratio", "CPU of the tap")
    for method, of in figures.items():
        table.add_row(method, f"{of.direct:.2f} s", f"{of.tapped:.2f} s", f"{of.ratio:.2f}", f"{of.cpu:.0%}")
    Console().print(table)


def _plain(bench: Bench, figures: Mapping[str, Figures]) -> dict[str, object]:
    return {
        "ratios": {
            **{f"tap.{method}": of.ratio for method, of in figures.items()},
            **{f"tap-cpu.{method}": of.cpu for method, of in figures.items()},
        },
        "seconds": {method: {"direct": of.direct, "tapped": of.tapped} for method, of in figures.items()},
        "qemu": bench.qemu.facts.release,
        "machine": bench.machine,
    }


def size(text: str) -> int:
    """Bytes, from ``256M`` or ``1G``."""
    match = re.fullmatch(r"([1-9]\d*)([MG])", text)
    if match is None:
        raise click.BadParameter(f"{text!r}: expected a number of MiB or GiB, such as 256M or 1G")
    return int(match[1]) * UNITS[match[2]]


@click.command()
@click.option("--qemu", default=FOUND, help="A QEMU, as a path or a command line; default: the first that is found.")
@click.option("--memory", default="256M", show_default=True, type=size, help="Guest memory, such as 256M or 1G.")
@click.option("--channels", type=click.IntRange(1, 255), default=2, show_default=True, help="Multifd channels.")
@click.option(
    "--repeat", type=click.IntRange(min=1), default=7, show_default=True, help="How often each run is done, in turns."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def main(qemu: str, memory: int, channels: int, repeat: int, as_json: bool) -> None:
    """Measure what the tap costs that stands in every cell with a real QEMU."""
    try:
        peer = resolve_qemus(named(qemu)[:1], START)[0]
        if peer.probe is not None:
            raise InputError(f"{peer.name}: {peer.probe}")
        scratch = make_scratch(3 * memory, sockets=True)
        try:
            _fill(scratch / "source", memory)
            bench = Bench(peer, next(iter(peer.machines)), scratch / "source", scratch, channels)
            figures = measure(bench, METHODS, repeat)
        finally:
            remove_scratch(scratch)
    except MultifdError as problem:
        raise click.ClickException(str(problem)) from None
    if as_json:
        print(json.dumps(_plain(bench, figures)))
    else:
        _show(bench, figures)


if __name__ == "__main__":
    main()
