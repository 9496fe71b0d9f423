"""Small captures of our own, one for each family of framings, and where things stand in their files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from multifd.codec import create
from multifd.memory.corpus import CORPORA
from multifd.memory.layout import Script
from multifd.memory.rounds import build
from multifd.migrate.capture import Capture
from multifd.peer import contract
from multifd.peer.server import PeerServer
from multifd.wire.dialect import FLAG_SYNC
from multifd.wire.packet import INIT_SIZE, PREFIX_SIZE, RamHeader, header_size
from multifd.wire.scan import Scanned, scan

SIZES: Final = {"pc.ram": 40 << 10, "vga.vram": 24 << 10}
"""64 KiB of guest memory."""
PAGE_SIZE: Final = 4096
CHANNELS: Final = 2


@dataclass(frozen=True)
class Family:
    """Framings that a capture of this one stands for."""

    framing: str
    codec: str
    dialect: str

    def __str__(self) -> str:
        return f"{self.framing}-{self.dialect}"


FAMILIES: Final = (
    Family("none", "none", "qemu-5.0"),
    Family("zlib", "zlib", "qemu-5.0"),
    Family("zstd", "zstd", "qemu-9.0"),
    Family("qpl", "zlib", "qemu-9.1"),
    Family("qatzip", "zlib", "qemu-10.0"),
)
"""Pages as they are, a stream (of DEFLATE, of zstd), lengths and pages, a stream for each packet."""


def script(directory: Path, shape: str = "dirty") -> Script:
    """A migration of 64 KiB."""
    return build(directory, CORPORA["text"], 1, SIZES, PAGE_SIZE, shape)


def record(directory: Path, family: Family, migration: Script) -> Capture:
    """Encode a migration into ``directory`` as our own peer does."""
    server = PeerServer(create(family.codec), family.codec, io.StringIO())
    server.encode(
        contract.Encode(
            id=1,
            script=migration,
            framing=family.framing,
            dialect=family.dialect,
            channels=CHANNELS,
            capture=str(directory),
        )
    )
    return Capture.open(directory)


def packets(capture: Capture, channel: int) -> list[Scanned]:
    """Packets of one channel."""
    data = capture.channel_path(channel).read_bytes()
    return list(scan(data, PAGE_SIZE, capture.dialect, raw_pages=capture.framing.raw_pages))


def borders(capture: Capture, channel: int) -> Iterator[int]:
    """Offsets in a channel's file at which one thing ends and another starts; the end of the file is none."""
    yield 0
    for packet in packets(capture, channel):
        yield packet.at
        yield packet.at + PREFIX_SIZE
        yield packet.at + header_size(PAGE_SIZE)


def lost(capture: Capture, channel: int, cut: int) -> str:
    """What a recording misses that ends at ``cut``: ``whole`` nothing, or ``sync``, ``pages``, ``part`` of a packet."""
    rest = [packet for packet in packets(capture, channel) if packet.at >= cut]
    starts = {packet.at for packet in packets(capture, channel)}
    if cut not in starts or cut < INIT_SIZE:
        return "part"
    headers = [packet.header for packet in rest if isinstance(packet.header, RamHeader)]
    if any(header.flags & FLAG_SYNC for header in headers):
        return "sync"
    return "pages" if any(header.normal_pages or header.zero_pages for header in headers) else "whole"
