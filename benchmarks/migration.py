"""What our receiver and our splice cost beside QEMU's own ends, in migrations of a real QEMU.

A run is one migration of a stopped guest, from ``migrate`` to the moment when its source has the status ``completed``
and the receiving side is done: a QEMU with the same status, our receiver with its last connection closed and every
page in its place. The three kinds run in turns on the same cores, each with new processes and a new destination:

=========  ==================================  ==================================================================
run        processes                           ratio of wall times
=========  ==================================  ==================================================================
direct     QEMU -> QEMU
receiver   QEMU -> ours                        receiver / direct: what it costs to put our receiver in the place
                                               of QEMU's; at most 1.1 is wanted
splice     QEMU with ``none`` -> our encoder   splice / the slower of two direct runs, with ``none`` and with the
           -> QEMU with the method             method
=========  ==================================  ==================================================================

The slower of the splice's two ends is what those two direct runs say: in the first, the sender goes as fast as it
can when a QEMU takes its pages; in the second, the receiver goes as fast as it can when a QEMU compresses them. A
splice that keeps up lets both go on as they did. With ``none`` both ends are the same direct run, and the splice is one
more pair of copies: that is its bare cost.

Three processes share the cores in a spliced run, two in a direct one, so that with fewer cores than three busy
processes want, wall times tell how many there are to share. CPU times tell it apart: a stage of a pipeline that needs
no more of it than another one does not hold it up. The last column has the splice's CPU time over that of the busiest
end of those two direct runs.

The CPU time of both QEMUs of a direct run, for each GiB, is what the usual order of methods rests on (docs/advise.md).

Ratios are medians over the repetitions, each of runs that follow each other; times are medians of their own.

Our codecs are those that read or write the method fastest here. Three quarters of the memory are text and the rest
is zero, in tmpfs where there is room. Every destination is compared with the source afterwards.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
from rich.console import Console
from rich.table import Table

from multifd.errors import HarnessError, InputError, MultifdError
from multifd.lineup.peers import QemuPeer
from multifd.lineup.qemus import resolve_qemus
from multifd.memory.corpus import generate
from multifd.memory.image import GuestMemory
from multifd.memory.layout import RamBlock
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import PROGRAM
from multifd.process.python import ENVIRONMENT
from multifd.qemu.binary import FOUND, named
from multifd.qemu.facts import machine_dialect
from multifd.qemu.guest import RAM_BLOCK, Guest, Machine, start
from multifd.qemu.migration import Terms, incoming, outgoing, watch

PAGE_SIZE: Final = 4096
UNITS: Final = {"M": 1 << 20, "G": 1 << 30}
STRETCH: Final = 16 << 20
"""Bytes of memory that begin with text and end with zeros."""
TEXT: Final = STRETCH // 4 * 3
START: Final = 60.0
"""Seconds until a process must be up."""
DEADLINE: Final = 300.0
"""Seconds after which a run is given up."""


class Codecs(NamedTuple):
    """Ours for one method, each as a peer is called: codec, then parameters."""

    decoder: str
    encoder: str


CODECS: Final = {
    "none": Codecs("none", "none"),
    "zlib": Codecs("isal", "isal"),
    "zstd": Codecs("zstd", "zstd"),
    "qpl": Codecs("libdeflate", "isal level=0"),
    "qatzip": Codecs("isal", "isal"),
}
"""By method, in the order in which they are measured."""


@dataclass(frozen=True)
class Figures:
    """Of one method: median wall times in seconds, and median ratios."""

    direct: float
    received: float
    spliced: float
    slower_end: float
    """Of the two direct runs that the splice is compared with."""
    receiver: float
    """Our receiver to QEMU's."""
    splice: float
    """The splice to the slower of its ends."""
    splice_cpu: float
    """The splice to the busiest end, in CPU time."""
    both: float
    """CPU seconds of both QEMUs of a direct run."""


class Run(NamedTuple):
    """What a run took, in seconds."""

    wall: float
    cpu: float
    """Of the busier QEMU in a direct run, of our process in the others."""
    both: float = 0.0
    """CPU time of both QEMUs of a direct run."""


@dataclass(frozen=True)
class Bench:
    """One QEMU, one memory, and the three kinds of run.

    Each raises HarnessError if a migration does not complete or memory is not the same on both sides afterwards.
    """

    qemu: QemuPeer
    machine: str
    source: GuestMemory
    """Of one RAM block, :data:`RAM_BLOCK`."""
    scratch: Path
    channels: int

    def direct(self, method: str) -> Run:
        """QEMU to QEMU."""
        with self._destination(self.source.layout.sizes) as memory:
            return asyncio.run(self._to_qemu(memory, method, method, None))

    def received(self, method: str) -> Run:
        """QEMU to our receiver."""
        with self._destination(self._blocks) as memory, _peer(CODECS[method].decoder) as peer:
            return asyncio.run(self._to_ours(memory, method, peer))

    def spliced(self, method: str) -> Run:
        """QEMU with ``none`` through our splice to QEMU with the method."""
        with self._destination(self.source.layout.sizes) as memory, _peer(CODECS[method].encoder) as peer:
            return asyncio.run(self._to_qemu(memory, "none", method, peer))

    async def _to_qemu(self, memory: GuestMemory, sent: str, received: str, splice: PeerProcess | None) -> Run:
        place = _file(memory).parent
        async with (
            self._guest("source", self.source, place) as source,
            self._guest("destination", memory, place, "-incoming", "defer") as destination,
        ):
            address = await incoming(destination, self._terms(received), f"unix:{place / 'upstream'}")
            if splice is not None:
                address = self._listening(
                    splice, place, contract.Splice, upstream=address, page_size=PAGE_SIZE, ramblocks=self._blocks,
                    sender_framing=sent, sender_dialect=self._dialect,
                    receiver_framing=received, receiver_dialect=self._dialect,
                )  # fmt: skip
            before = source.cpu_seconds, destination.cpu_seconds
            began = time.monotonic()
            await self._migrate(source, destination, sent, address)
            wall = time.monotonic() - began
            spent = source.cpu_seconds - before[0], destination.cpu_seconds - before[1]
        return Run(wall, max(spent) if splice is None else self._done(splice, sent).cpu_seconds, sum(spent))

    async def _to_ours(self, memory: GuestMemory, method: str, peer: PeerProcess) -> Run:
        place = _file(memory).parent
        async with self._guest("source", self.source, place) as source:
            address = self._listening(
                peer, place, contract.Receive, memory=memory.layout, framing=method, dialect=self._dialect,
                machine=machine_dialect(self.machine).name,
            )  # fmt: skip
            listening = time.monotonic()
            began = time.monotonic()
            await self._migrate(source, None, method, address)
            ended = time.monotonic()
        done = self._done(peer, method)
        # It answers when it has computed digests too; its seconds end with the migration.
        return Run(max(ended, listening + done.seconds) - began, done.cpu_seconds)

    async def _migrate(self, source: Guest, destination: Guest | None, method: str, address: str) -> None:
        await outgoing(source, self._terms(method), address)
        course = await watch(source, destination, DEADLINE)
        for end in filter(None, (course.source, course.destination)):
            if not end.completed:
                raise HarnessError(f"{method}: QEMU is {end.fate}, expected completed: {end.words}")

    def _done(self, peer: PeerProcess, method: str) -> contract.Done:
        done = peer.conclusion(DEADLINE)
        if not isinstance(done, contract.Done):
            raise HarnessError(f"{method}: peer {peer.name}: {done.error}")
        return done

    def _guest(self, side: str, memory: GuestMemory, place: Path, *further: str) -> AbstractAsyncContextManager[Guest]:
        machine = Machine(self.machine, _file(memory), memory.layout.sizes[RAM_BLOCK])
        return start(self.qemu.binary, side, place, [*machine.arguments(), *further], START)

    def _listening(
        self, peer: PeerProcess, place: Path, kind: type[contract.Receive | contract.Splice], /, **fields: Any
    ) -> str:
        reply = peer.listen(place / "ours", START, kind, channels=self.channels, deadline=DEADLINE, **fields)
        if not isinstance(reply, contract.Listening):
            raise HarnessError(f"peer {peer.name}: {reply.error}")
        return reply.address

    @contextmanager
    def _destination(self, blocks: Mapping[str, int]) -> Iterator[GuestMemory]:
        """Zero memory in a directory of its own, compared with the source at the end."""
        with (
            tempfile.TemporaryDirectory(dir=self.scratch) as place,
            GuestMemory.create(Path(place), blocks, PAGE_SIZE) as memory,
        ):
            yield memory
            ram = memory.layout.model_copy(update={"blocks": (_ram(memory),)})
            with GuestMemory.open(ram, writable=False) as arrived:
                if different := arrived.differences(self.source):
                    raise HarnessError(f"memory differs after a run: {different}")

    def each(self, seconds: float) -> float:
        """Seconds for each GiB of memory."""
        return seconds / self.source.layout.sizes[RAM_BLOCK] * (1 << 30)

    def _terms(self, method: str) -> Terms:
        return Terms(method, self.channels, pause=False)

    @property
    def _dialect(self) -> str:
        return self.qemu.facts.dialect.name

    @property
    def _blocks(self) -> dict[str, int]:
        return {**self.qemu.machines[self.machine].blocks, **self.source.layout.sizes}


def measure(bench: Bench, methods: Sequence[str], repeat: int) -> dict[str, Figures]:
    """Every kind of run in turns, ``repeat`` times; a splice needs the direct runs with ``none``."""
    kinds = {"direct": bench.direct, "received": bench.received, "spliced": bench.spliced}
    runs: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    for _ in range(repeat):
        for method in dict.fromkeys(("none", *methods)):
            for kind, run in kinds.items():
                if kind == "direct" or method in methods:
                    runs[kind, method].append(run(method))
    return {
        method: _figures(
            runs["direct", method], runs["received", method], runs["spliced", method], runs["direct", "none"]
        )
        for method in methods
    }


def _figures(direct: list[Run], received: list[Run], spliced: list[Run], fastest: list[Run]) -> Figures:
    """``fastest`` are the direct runs with ``none``; all lists are in the order of the repetitions."""
    together = list(zip(direct, received, spliced, fastest, strict=True))
    median = statistics.median
    return Figures(
        direct=median(run.wall for run in direct),
        received=median(run.wall for run in received),
        spliced=median(run.wall for run in spliced),
        slower_end=median(max(own.wall, bare.wall) for own, _, _, bare in together),
        receiver=median(ours.wall / own.wall for own, ours, _, _ in together),
        splice=median(ours.wall / max(own.wall, bare.wall) for own, _, ours, bare in together),
        splice_cpu=median(ours.cpu / max(own.cpu, bare.cpu) for own, _, ours, bare in together),
        both=median(run.both for run in direct),
    )


@contextmanager
def _peer(codec: str) -> Iterator[PeerProcess]:
    """A peer of ours that is up."""
    peer = PeerProcess(codec, (*PROGRAM, *codec.split()), ENVIRONMENT)
    try:
        peer.hello(START)
        yield peer
    finally:
        peer.quit()


def _ram(memory: GuestMemory) -> RamBlock:
    return next(block for block in memory.layout.blocks if block.name == RAM_BLOCK)


def _file(memory: GuestMemory) -> Path:
    return Path(_ram(memory).path)


def _fill(memory: GuestMemory) -> None:
    content = generate("text", TEXT, seed=0)
    size = memory.layout.sizes[RAM_BLOCK]
    for at in range(0, size, STRETCH):
        memory.write(RAM_BLOCK, at, content[: size - at])


def _show(bench: Bench, figures: Mapping[str, Figures]) -> None:
    qemu = f"QEMU {bench.qemu.facts.release}"
    table = Table("", f"{qemu} to itself", "CPU s/GiB", "to ours", "ratio", "slower end", "splice", "ratio", "of CPU")
    for method, of in figures.items():
        table.add_row(
            method,
            f"{of.direct:.2f} s",
            f"{bench.each(of.both):.2f}",
            f"{of.received:.2f} s",
            f"{of.receiver:.2f}",
            *(f"{seconds:.2f} s" for seconds in (of.slower_end, of.spliced)),
            f"{of.splice:.2f}",
            f"{of.splice_cpu:.2f}",
        )
    Console().print(table)


def _plain(bench: Bench, figures: Mapping[str, Figures]) -> dict[str, object]:
    return {
        "ratios": {
            **{f"receiver.{method}": of.receiver for method, of in figures.items()},
            **{f"splice.{method}": of.splice for method, of in figures.items()},
            **{f"splice-cpu.{method}": of.splice_cpu for method, of in figures.items()},
        },
        "cpu_seconds_per_gib": {method: bench.each(of.both) for method, of in figures.items()},
        "seconds": {
            method: {name: getattr(of, name) for name in ("direct", "received", "spliced", "slower_end")}
            for method, of in figures.items()
        },
        "qemu": bench.qemu.facts.release,
        "machine": bench.machine,
    }


def size(text: str) -> int:
    """Bytes, from ``256M`` or ``1G``."""
    match = re.fullmatch(r"([1-9]\d*)([MG])", text)
    if match is None:
        raise click.BadParameter(f"{text!r}: expected a number of MiB or GiB, such as 256M or 1G")
    return int(match[1]) * UNITS[match[2]]


def _chosen(methods: str | None, qemu: QemuPeer) -> list[str]:
    offered = [method for method in CODECS if method in qemu.facts.methods]
    if methods is None:
        return offered
    wanted = methods.split(",")
    if strange := [method for method in wanted if method not in offered]:
        raise click.BadParameter(f"{', '.join(strange)}: expected some of {', '.join(offered)}")
    return wanted


@click.command()
@click.option("--qemu", default=FOUND, help="A QEMU, as a path or a command line; default: the first that is found.")
@click.option("--memory", default="1G", show_default=True, type=size, help="Guest memory, such as 256M or 1G.")
@click.option("--channels", type=click.IntRange(1, 255), default=2, show_default=True, help="Multifd channels.")
@click.option(
    "--repeat", type=click.IntRange(min=1), default=5, show_default=True, help="How often each run is done, in turns."
)
@click.option("--methods", help="Methods, separated by commas; default: all that the QEMU offers.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def main(qemu: str, memory: int, channels: int, repeat: int, methods: str | None, as_json: bool) -> None:
    """Measure our receiver against QEMU's own, and our splice against the slower of its two ends.

    All runs are migrations of a real QEMU and take turns on the same memory. A receiver ratio of 1 means that ours
    takes a stream as fast as QEMU does; a splice ratio of 1 means that nobody waits for the splice.
    """
    try:
        peer = resolve_qemus(named(qemu)[:1], START)[0]
        if peer.probe is not None:
            raise InputError(f"{peer.name}: {peer.probe}")
        chosen = _chosen(methods, peer)
        scratch = make_scratch(3 * memory, sockets=True)
        try:
            with GuestMemory.create(scratch / "source", {RAM_BLOCK: memory}, PAGE_SIZE) as source:
                _fill(source)
                bench = Bench(peer, next(iter(peer.machines)), source, scratch, channels)
                figures = measure(bench, chosen, repeat)
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
