"""The packets of a capture, as a person reads them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from multifd.errors import InputError, Place, WireError
from multifd.framing.pages import runs
from multifd.migrate.capture import Capture
from multifd.migrate.stream import FileSource
from multifd.result.printable import one_line
from multifd.wire.dialect import FLAG_SYNC, Dialect
from multifd.wire.packet import DeviceStateHeader, Offsets, RamHeader
from multifd.wire.scan import Scanned, scan

AROUND: Final = 6
"""Packets that are shown before a place and after it."""
_SHOWN_RUNS: Final = 3


def around(capture: Capture, place: Place | None) -> tuple[str, ...]:
    """Lines of the packets around a place, the one at it marked; of the first channel's first where there is no place.

    A packet that is not there, or cannot be read, has the last ones before it.
    """
    channel = place.channel if place is not None and place.channel is not None else 0
    if not 0 <= channel < capture.manifest.channels:
        return ()
    before: deque[str] = deque(maxlen=AROUND)
    lines: list[str] = []
    packets = dissected(capture, channel)
    try:
        for packet in packets:
            text = line(fields(packet, capture, channel))
            if place is None or place.packet is None or _number(packet) == place.packet:
                lines = [*before, text if place is None or place.packet is None else f"{text}  <- here"]
                lines += (line(fields(each, capture, channel)) for each in islice(packets, AROUND))
                break
            before.append(text)
        else:
            lines = [*before]
    except InputError as problem:
        lines = [*(lines or before), str(problem)]
    return tuple(lines)


def carrying(capture: Capture, block: str, page: int) -> Place | None:
    """The last packet that has this page of a RAM block, None where there is none."""
    offset, found = page * capture.manifest.page_size, None
    for channel in range(capture.manifest.channels):
        for packet in dissected(capture, channel):
            header = packet.header
            if isinstance(header, RamHeader) and header.ramblock == block and offset in _sent(header):
                numbered = Place(channel=channel, packet=header.packet_num, block=block)
                found = numbered if found is None or (found.packet or 0) < header.packet_num else found
    return found


def _sent(header: RamHeader) -> Offsets:
    """Those that count; what stands behind them is left of an earlier packet."""
    return header.offsets[: header.normal_pages + header.zero_pages]


def _number(packet: Scanned) -> int | None:
    return packet.header.packet_num if isinstance(packet.header, RamHeader) else None


def dissected(capture: Capture, channel: int) -> Iterator[Scanned]:
    """The packets of one channel. Raises InputError for what cannot be read as packets."""
    source = FileSource(capture.channel_path(channel))
    data = source.read(source.left)
    try:
        yield from scan(data, capture.manifest.page_size, capture.dialect, raw_pages=capture.framing.raw_pages)
    except WireError as problem:
        raise InputError(f"channel {channel}: {problem}") from None


def fields(packet: Scanned, capture: Capture, channel: int) -> dict[str, Any]:
    """What a packet says, as JSON has it."""
    header = packet.header
    payload = packet.payload
    common = {"channel": channel, "at": packet.at, "payload": len(payload), "starts": payload[:8].hex()}
    if isinstance(header, DeviceStateHeader):
        return common | {"kind": "device state", "idstr": header.idstr, "instance": header.instance_id}
    assert isinstance(header, RamHeader)
    normal, zero = header.normal_pages, header.zero_pages
    size = capture.manifest.page_size
    return common | {
        "kind": "ram",
        "number": header.packet_num,
        "flags": header.flags,
        "meaning": _flags(header, capture.dialect),
        "pages_alloc": header.pages_alloc,
        "normal": normal,
        "zero": zero,
        "next_packet_size": header.next_packet_size,
        "block": header.ramblock,
        "pages": runs(header.offsets[:normal] // size)[:_SHOWN_RUNS],
        "zero_pages": runs(header.offsets[normal : normal + zero] // size)[:_SHOWN_RUNS],
    }


def _flags(header: RamHeader, spoken: Dialect) -> str:
    flags = header.flags
    words = ["SYNC"] if flags & FLAG_SYNC else []
    if header.normal_pages or header.zero_pages:
        words.append(spoken.method_of(flags) or f"no method {flags & spoken.mask:#x}")
    hidden = flags & ~spoken.mask & ~FLAG_SYNC & ~(spoken.device_state or 0)
    return " ".join(words + ([f"outside the mask {hidden:#x}"] if hidden else [])) or "empty"


def line(packet: dict[str, Any]) -> str:
    """The same as a person reads it, whatever its RAM block is called: one line."""
    return one_line(_line(packet))


def _line(packet: dict[str, Any]) -> str:
    start = f"ch {packet['channel']:<3} @{packet['at']:<9} "
    if packet["kind"] != "ram":
        who = f"device state {packet['idstr']!r} instance {packet['instance']}"
        return f"{start}{who}, {packet['payload']} bytes skipped"
    stale = "" if packet["payload"] or not packet["next_packet_size"] else f" (stale size {packet['next_packet_size']})"
    block = f" of {packet['block']}" if packet["normal"] or packet["zero"] else ""
    pages = _pages("pages", packet["normal"], packet["pages"]) + _pages("zero", packet["zero"], packet["zero_pages"])
    payload = f", payload {packet['payload']} bytes {packet['starts']}…" if packet["payload"] else ""
    return f"{start}#{packet['number']:<5} {packet['flags']:#06x} {packet['meaning']}{pages}{block}{payload}{stale}"


def _pages(name: str, count: int, shown: list[tuple[int, int]]) -> str:
    if not count:
        return ""
    listed = ", ".join(f"{first}" if length == 1 else f"{first}-{first + length - 1}" for first, length in shown)
    more = ", …" if sum(length for _, length in shown) < count else ""
    return f", {count} {name} [{listed}{more}]"
