"""Walk a recorded channel packet by packet, without judging it: for measuring and for showing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import Buffer

from multifd.errors import TruncatedError
from multifd.wire import packet as wire
from multifd.wire.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Scanned:
    """One packet where it stands; ``payload`` is a view of the recording."""

    at: int
    """Offset of its header in bytes."""
    header: wire.RamHeader | wire.DeviceStateHeader
    raw: memoryview
    """The header as it stands on the wire, a view of the recording."""
    payload: memoryview


def scan(data: Buffer, page_size: int, dialect: Dialect, *, raw_pages: bool) -> Iterator[Scanned]:
    """Packets of a channel recording, the init packet skipped; raises WireError where one cannot be read.

    Payload length: what the header says if it has normal pages, else nothing (old senders leave a stale size).
    """
    view = memoryview(data)
    at = wire.INIT_SIZE
    if len(view) < at:
        raise TruncatedError("init packet", len(view), at)
    while at < len(view):
        start = at
        if len(view) - at < wire.PREFIX_SIZE:
            raise TruncatedError("packet header", len(view) - at, wire.header_size(page_size))
        flags = wire.unpack_prefix(view[at:], dialect.wording)
        header: wire.RamHeader | wire.DeviceStateHeader
        if dialect.device_state is not None and flags & dialect.device_state:
            header = wire.unpack_device_state(view[at:])
            at, size = at + wire.DEVICE_STATE_SIZE, header.next_packet_size
        else:
            header = wire.unpack_ram(view[at:], page_size)
            at += wire.header_size(page_size)
            whole = header.normal_pages * page_size if raw_pages else header.next_packet_size
            size = whole if header.normal_pages else 0
        raw, payload = view[start:at], view[at : at + size]
        if len(payload) < size:
            raise TruncatedError("packet payload", len(payload), size)
        at += size
        yield Scanned(start, header, raw, payload)
