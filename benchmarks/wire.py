"""What our own sender and receiver cost on top of the work that nobody can avoid.

A migration runs between two processes over Unix sockets, as in real life. So does, in turns with it and on the
same cores, the bare work that it is compared with:

======  ==========================================================================================
name    bare work
======  ==========================================================================================
none    each thread of one process calls ``sendall`` once for its share of the source's mapping,
        each thread of the other fills its share of the destination's mapping by ``recv_into``
zlib    each thread of one process compresses the packets of its channel in a loop, pages in place,
isal    while each thread of the other decompresses such packets, made before, in a loop: the codec
zstd    calls of a migration with no socket, no header and no copy
======  ==========================================================================================

A ratio is ours to bare in throughput: 1 means that there is nothing but the bare work. It is the median over pairs
of runs, one of each, that follow each other: what a host does besides changes more slowly than that. Wall time runs
from the start of the first process to the end of the last; accepting and the init packets are in it, connecting is
not.

Microseconds are user CPU a packet outside codec and kernel: ``getrusage`` of a process that migrates the same
memory with a codec that computes nothing, for it hands out what the real one made before (``none`` has no codec
anyway). They are means over all repetitions, for many kernels tell user from system time by ticks, which are right
only in the long run.

The memory is text, in tmpfs where there is one. Every destination is zero before and compared with its source
after.
"""

from __future__ import annotations

import gc
import itertools
import json
import multiprocessing
import resource
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import click
from rich.console import Console
from rich.table import Table

from multifd.codec import create
from multifd.errors import HarnessError
from multifd.framing.coder import Bytes, Codec, Compressor, Decompressor, compressor_of, decompressor_of
from multifd.framing.container import Container
from multifd.framing.model import Framing, framing
from multifd.memory.corpus import generate
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageRun, Round, Script
from multifd.migrate.address import connect, listen
from multifd.migrate.apply import Destination, Reception
from multifd.migrate.crew import Crew
from multifd.migrate.receive import Receiver
from multifd.migrate.stream import SocketSink
from multifd.migrate.transmit import Transmission, Transmitter
from multifd.peer import heap
from multifd.peer.turns import take_turns
from multifd.wire.dialect import dialect
from multifd.wire.packet import PACKET_SIZE

MIB: Final = 1 << 20
PAGE_SIZE: Final = 4096
BLOCK: Final = "pc.ram"
DIALECT: Final = dialect("qemu-10.0")
_BEGINNING: Final = 256
DEADLINE: Final = 120.0
"""Seconds after which a run is given up."""

CASES: Final = {"none": "none", "zlib": "zlib", "isal": "zlib", "zstd": "zstd"}
"""Codec and the framing that it is measured in."""

Run = Callable[[], None]
Prepare = Callable[[], Run]
"""Makes ready, in a process of its own, and returns what is measured there."""

_fork: Final = multiprocessing.get_context("fork")


class Side(NamedTuple):
    """What one process measured of itself, in seconds; ``began`` and ``ended`` are on the host's clock."""

    began: float
    ended: float
    user: float


class Measured(NamedTuple):
    """One repetition, in seconds: wall time of both processes together, user CPU time of each."""

    wall: float
    sender: float
    receiver: float


class Figures(NamedTuple):
    """What all repetitions of a case say.

    ``ratio`` is ours to bare in throughput, which both are: MiB of guest memory a second. Of each side the microseconds
    of user CPU a packet outside codec and kernel.
    """

    ratio: float
    ours: float
    bare: float
    sender: float
    receiver: float


@dataclass(frozen=True)
class Case:
    """A migration to be measured, between two memories of one RAM block of the same size."""

    framing: Framing
    codec: Codec
    source: GuestMemory
    destination: GuestMemory
    channels: int
    directory: Path

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return self.source.layout.sizes[BLOCK]

    @property
    def packets(self) -> int:
        """Packets of the migration."""
        return -(-self.size // PACKET_SIZE)

    @cached_property
    def pages(self) -> list[list[memoryview]]:
        """The pages of each channel's packets."""
        memory = self.source.view(BLOCK)
        packets = [memory[at : at + PACKET_SIZE] for at in range(0, self.size, PACKET_SIZE)]
        return [packets[channel :: self.channels] for channel in range(self.channels)]

    @cached_property
    def payloads(self) -> list[list[bytes]]:
        """The payloads of each channel's packets."""
        return [list(_compressed(self, packets)) for packets in self.pages]

    def listen(self) -> tuple[socket.socket, str]:
        """A new listening socket and its address."""
        path = self.directory / "socket"
        path.unlink(missing_ok=True)
        return listen(f"unix:{path}", 1 + self.channels)


def migration(case: Case) -> tuple[Prepare, Prepare]:
    """Our sender and our receiver, main channel included."""
    server, address = case.listen()

    def send() -> Run:
        everything = PageRun(block=BLOCK, first=0, count=case.size // PAGE_SIZE)
        script = Script(page_size=PAGE_SIZE, rounds=(Round(image=case.source.layout, pages=(everything,)),))
        way = Transmission(case.framing, DIALECT, DIALECT.zero_pages, DIALECT.main_sync, case.channels)
        crew = Crew(DEADLINE)
        sinks = [SocketSink(crew.add(connect(address))) for _ in range(1 + case.channels)]
        transmitter = Transmitter(script, way, case.codec, sinks[0], sinks[1:], crew.run)

        def run() -> None:
            with closing(crew), crew.watching():
                transmitter.run()

        return run

    def receive() -> Run:
        way = Reception(case.framing, DIALECT, DIALECT.main_sync, case.channels)
        return Receiver(server, way, case.codec, Destination(case.destination), DEADLINE).run

    return send, receive


def bare_copy(case: Case) -> tuple[Prepare, Prepare]:
    """The same memory through as many sockets, each with an equal share."""
    server, address = case.listen()
    cuts = [case.size * channel // case.channels for channel in range(case.channels + 1)]
    shares = [slice(*ends) for ends in itertools.pairwise(cuts)]

    def send() -> Run:
        memory = case.source.view(BLOCK)
        return _at_once(partial(connect(address).sendall, memory[share]) for share in shares)

    def receive() -> Run:
        memory = case.destination.view(BLOCK)
        return _at_once(partial(_fill, server.accept()[0], memory[share]) for share in shares)

    return send, receive


def bare_codec(case: Case) -> tuple[Prepare, Prepare]:
    """The codec calls of both sides and nothing else."""
    pages, payloads = case.pages, case.payloads
    return (
        lambda: _at_once(partial(_exhaust, _compressed(case, packets)) for packets in pages),
        lambda: _at_once(partial(_exhaust, _decompressed(case, packets)) for packets in payloads),
    )


def measure(case: Case, repeat: int) -> Figures:
    """Ours and bare in turns; raises HarnessError if memory is not the same on both sides afterwards."""
    copying = case.framing.raw_pages
    idle = case if copying else replace(case, codec=_Prepared(case))
    ours, bare, without_codec = [], [], []
    for _ in range(repeat):
        ours.append(_copying(case, migration(case)))
        bare.append(_copying(case, bare_copy(case)) if copying else _together(bare_codec(case)))
        without_codec.append(ours[-1] if copying else _copying(idle, migration(idle)))
    ours_wall = statistics.median(each.wall for each in ours)
    bare_wall = statistics.median(each.wall for each in bare)

    def microseconds(user: Callable[[Measured], float]) -> float:
        return statistics.fmean(map(user, without_codec)) / case.packets * 1e6

    return Figures(
        ratio=statistics.median(theirs.wall / own.wall for theirs, own in zip(bare, ours, strict=True)),
        ours=case.size / MIB / ours_wall,
        bare=case.size / MIB / bare_wall,
        sender=microseconds(attrgetter("sender")),
        receiver=microseconds(attrgetter("receiver")),
    )


class _Prepared:
    """A codec that computes nothing: what it hands out was made before, and is known by how it begins."""

    ended = False

    def __init__(self, case: Case) -> None:
        self.name = case.codec.name
        self.version = case.codec.version
        self.provenance = case.codec.provenance
        self.device = case.codec.device
        self.encoder = case.codec.encoder
        self.decoder = case.codec.decoder
        made = [pair for both in zip(case.pages, case.payloads, strict=True) for pair in zip(*both, strict=True)]
        self._payloads = {bytes(pages[:_BEGINNING]): payload for pages, payload in made}
        self._pages = {payload[:_BEGINNING]: pages for pages, payload in made}

    def compressor(self, container: Container, window: int) -> Compressor:
        return self

    def decompressor(self, container: Container) -> Decompressor:
        return self

    def sync(self) -> bytes:
        return b""

    def compress(self, data: Bytes, *_: object) -> bytes:
        return self._payloads[bytes(data[:_BEGINNING])]

    def decompress(self, data: Bytes, *_: object) -> Bytes:
        return self._pages[bytes(data[:_BEGINNING])]


def _compressed(case: Case, packets: Iterable[memoryview]) -> Iterator[bytes]:
    stream = compressor_of(case.codec, case.framing.container, case.framing.window)
    for packet in packets:
        yield stream.compress(packet) + stream.sync()


def _decompressed(case: Case, payloads: Iterable[bytes]) -> Iterator[Bytes]:
    stream = decompressor_of(case.codec, case.framing.container)
    for payload in payloads:
        yield stream.decompress(payload, PACKET_SIZE)


def _exhaust(outputs: Iterator[Bytes]) -> None:
    for _ in outputs:
        pass


def _fill(connection: socket.socket, view: memoryview) -> None:
    while view:
        view = view[connection.recv_into(view) :]


def _at_once(works: Iterable[Run]) -> Run:
    threads = [threading.Thread(target=work) for work in works]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run


def _copying(case: Case, sides: tuple[Prepare, Prepare]) -> Measured:
    """Measure what fills the destination, from zeroed memory on, and check that it did."""
    case.destination.pages(BLOCK)[:] = 0
    measured = _together(sides)
    if different := case.destination.differences(case.source):
        raise HarnessError(f"{case.codec.name}: memory differs after a run: {different}")
    return measured


def _together(sides: tuple[Prepare, Prepare]) -> Measured:
    """Run sender and receiver, each in a process of its own, from the same moment on."""
    start = _fork.Barrier(len(sides))
    answers: list[Connection] = []
    for prepare in sides:
        answer, question = _fork.Pipe(duplex=False)
        _fork.Process(target=_alone, args=(prepare, start, question), daemon=True).start()
        question.close()
        answers.append(answer)
    try:
        sender, receiver = (answer.recv() for answer in answers)
    except EOFError:
        raise HarnessError("a measured process ended without an answer; its traceback is above") from None
    for child in multiprocessing.active_children():
        child.join()
    wall = max(sender.ended, receiver.ended) - min(sender.began, receiver.began)
    return Measured(wall, sender.user, receiver.user)


def _alone(prepare: Prepare, start: Barrier, answer: Connection) -> None:
    # As our peers do, and for the bare work too.
    heap.keep()
    take_turns()
    gc.freeze()
    run = prepare()
    start.wait(DEADLINE)
    user, began = resource.getrusage(resource.RUSAGE_SELF).ru_utime, time.monotonic()
    run()
    ended = time.monotonic()
    answer.send(Side(began, ended, resource.getrusage(resource.RUSAGE_SELF).ru_utime - user))


def _directory() -> tempfile.TemporaryDirectory[str]:
    tmpfs = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="multifd-wire-", dir=tmpfs if tmpfs.is_dir() else None)


def _show(figures: Mapping[str, Figures]) -> None:
    table = Table("", "ours/bare", "ours MiB/s", "bare MiB/s", "sender µs/packet", "receiver µs/packet")
    for name, case in figures.items():
        table.add_row(name, f"{case.ratio:.2f}", *(f"{value:.0f}" for value in case[1:]))
    Console().print(table)


@click.command()
@click.option("--memory", type=click.IntRange(min=1), default=512, show_default=True, help="MiB of guest memory.")
@click.option("--repeat", type=click.IntRange(min=1), default=9, show_default=True, help="How often each runs.")
@click.option("--channels", type=click.IntRange(1, 255), default=2, show_default=True, help="As many bare threads run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def main(memory: int, repeat: int, channels: int, as_json: bool) -> None:
    """Measure our live sender and receiver against a bare socket copy and bare codec loops.

    Both run between two processes, in turns, on the same memory. A ratio of 1 means that our side of the
    protocol costs nothing; microseconds are user CPU a packet that is spent neither in the codec nor in the
    kernel.
    """
    figures = {}
    for name, framed in CASES.items():
        size = MIB * memory
        with (
            _directory() as directory,
            GuestMemory.create(Path(directory, "source"), {BLOCK: size}, PAGE_SIZE) as source,
            GuestMemory.create(Path(directory, "destination"), {BLOCK: size}, PAGE_SIZE) as destination,
        ):
            source.write(BLOCK, 0, generate("text", size, seed=0))
            figures[name] = measure(
                Case(framing(framed), create(name), source, destination, channels, Path(directory)), repeat
            )
    if as_json:
        print(json.dumps(_plain(figures)))
    else:
        _show(figures)


def _plain(figures: Mapping[str, Figures]) -> dict[str, object]:
    return {
        "ratios": {name: case.ratio for name, case in figures.items()},
        "microseconds": {name: {"sender": case.sender, "receiver": case.receiver} for name, case in figures.items()},
        "throughput": {name: {"ours": case.ours, "bare": case.bare} for name, case in figures.items()},
    }


if __name__ == "__main__":
    main()
