"""Captures made by our own peer in this process, to be damaged by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from multifd.codec import create
from multifd.codec.reference import reference
from multifd.framing.model import FRAMINGS
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA
from multifd.memory.layout import PageSize, Script
from multifd.migrate.capture import MANIFEST, Capture
from multifd.peer import contract
from multifd.peer.server import PeerServer
from multifd.wire.packet import INIT_SIZE, RamHeader, header_size, pack_ram
from multifd.wire.scan import scan

PAGE: Final[PageSize] = 4096
Change = Callable[[RamHeader, bytes], list[tuple[RamHeader, bytes]]]
"""What becomes of a packet: its header and payload are replaced by any number of packets."""


def script(directory: Path, corpus: str = "text", pages: int = 300, page_size: PageSize = PAGE) -> Script:
    """One round of one RAM block."""
    return rounds.build(directory, CORPORA[corpus], 1, {"pc.ram": pages * page_size}, page_size, "single")


def record(
    directory: Path,
    framing: str,
    codec: str = "zlib",
    corpus: str = "text",
    dialect: str = "qemu-10.0",
    page_size: PageSize = PAGE,
) -> Capture:
    """A capture with two channels."""
    made = script(directory / "memory", corpus, page_size=page_size)
    return encoded(directory, made, framing, codec, dialect)


def encoded(
    directory: Path, script: Script, framing: str, codec: str = "", dialect: str = "qemu-10.0", channels: int = 2
) -> Capture:
    """A capture of any script, by the codec that stands for the framing unless told otherwise."""
    name = codec or reference(FRAMINGS[framing].container)
    capture = directory / "capture"
    PeerServer(create(name), name, io.StringIO()).encode(
        contract.Encode(id=1, script=script, framing=framing, dialect=dialect, channels=channels, capture=str(capture))
    )
    return Capture.open(capture)


def relabelled(capture: Capture, framing: str) -> Capture:
    """The same capture, whose manifest names another framing."""
    path = capture.directory / MANIFEST
    path.write_text(path.read_text().replace(capture.framing.name, framing))
    return Capture.open(capture.directory)


def changed(capture: Capture, change: Change, channel: int = 1) -> Capture:
    """The same capture with the first packet with pages of one channel replaced."""
    path = capture.channel_path(channel)
    data = path.read_bytes()
    packets = list(scan(data, PAGE, capture.dialect, raw_pages=capture.framing.raw_pages))
    target = next(p for p in packets if isinstance(p.header, RamHeader) and p.header.normal_pages)
    assert isinstance(target.header, RamHeader)
    replaced = b"".join(
        bytes(pack_ram(header, PAGE)) + payload for header, payload in change(target.header, bytes(target.payload))
    )
    end = target.at + header_size(PAGE) + len(target.payload)
    assert target.at >= INIT_SIZE
    path.write_bytes(data[: target.at] + replaced + data[end:])
    return capture
