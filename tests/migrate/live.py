"""What tests of live peers share: a small migration, real peer processes, and destinations."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageSize, Script
from multifd.memory.rounds import build
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import PROGRAM, Nursery
from multifd.process.python import ENVIRONMENT
from multifd.wire.dialect import Dialect, ZeroPages, dialect

LONG: Final = 20.0
"""Seconds within which everything here ends."""
SIZES: Final = {"m": 3 << 20, "pc.bios": 256 << 10}
CHANNELS: Final = 2


@dataclass(frozen=True)
class End:
    """What one end of a migration speaks."""

    framing: str
    dialect_name: str

    @property
    def dialect(self) -> Dialect:
        """The dialect itself."""
        return dialect(self.dialect_name)

    def __str__(self) -> str:
        return f"{self.framing}@{self.dialect_name}"


def machine(*ends: End) -> str:
    """The dialect of the machine type that both have."""
    return min((end.dialect for end in ends), key=lambda d: d.order).name


def zero_pages(sender: End, receiver: End) -> ZeroPages:
    """Where a sender has to put zero pages so that this receiver sees them."""
    known = (sender.dialect.zero_pages, receiver.dialect.zero_pages)
    return ZeroPages.MAIN if ZeroPages.MAIN in known else ZeroPages.PACKET


def script(directory: Path, page_size: PageSize = 4096, sizes: Mapping[str, int] = SIZES) -> Script:
    """Three dirty rounds with zero pages, of 3.25 MiB."""
    return build(directory, CORPORA["text"], 1, sizes, page_size, "dirty")


class Peers:
    """Real peer processes, one for each role and codec."""

    def __init__(self) -> None:
        self._nursery = Nursery()
        self._processes: dict[tuple[str, str], PeerProcess] = {}

    def __call__(self, role: str, codec: str) -> PeerProcess:
        key = (role, codec)
        if key not in self._processes:
            name, command = f"{role} {codec}", (*PROGRAM, codec)
            self._processes[key] = PeerProcess(name, command, ENVIRONMENT, self._nursery.start)
        return self._processes[key]

    def close(self) -> None:
        """End them."""
        for process in self._processes.values():
            process.dismiss()
        for process in self._processes.values():
            process.quit()
        self._nursery.close()


@contextmanager
def destination(directory: Path, migration: Script) -> Iterator[GuestMemory]:
    """Zero memory for a receiver."""
    with GuestMemory.create(directory / "destination", migration.expected.sizes, migration.page_size) as memory:
        yield memory


def identical(memory: GuestMemory, migration: Script) -> bool:
    """The memory is what the sender had in the end."""
    with GuestMemory.open(migration.expected, writable=False) as expected:
        return memory.differences(expected) == []


def read(connection: socket.socket, size: int) -> bytes:
    """So many bytes, fewer at the end."""
    got = b""
    while len(got) < size and (more := connection.recv(size - len(got))):
        got += more
    return got
