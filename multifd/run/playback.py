"""Play a capture to a live receiver, with one field of one packet overwritten on the way."""

from __future__ import annotations

from contextlib import ExitStack, suppress

from multifd.errors import EnvironmentBroke
from multifd.oracle.question import Fault
from multifd.peer.address import connect
from multifd.peer.capture import Capture
from multifd.plan.fault import INIT_FIELDS, PACKET_FIELDS
from multifd.wire.packet import RamHeader
from multifd.wire.scan import scan

CHANNEL = 1
"""The channel that the fault is on."""


def damaged(capture: Capture, fault: Fault) -> bytearray:
    """The recording of :data:`CHANNEL` with the fault in its init packet or first packet with pages."""
    data = bytearray(capture.channel_path(CHANNEL).read_bytes())
    if fault.field in INIT_FIELDS:
        offset, size = INIT_FIELDS[fault.field]
    else:
        offset, size = PACKET_FIELDS[fault.field]
        packets = scan(bytes(data), capture.manifest.page_size, capture.dialect, raw_pages=capture.framing.raw_pages)
        offset += next(p.at for p in packets if isinstance(p.header, RamHeader) and p.header.normal_pages)
    field = slice(offset, offset + size)
    value = fault.value if fault.value >= 0 else int.from_bytes(data[field]) | -fault.value
    data[field] = value.to_bytes(size)
    return data


def play(capture: Capture, fault: Fault, address: str, within: float) -> None:
    """Send the capture over sockets, main connected first; a receiver that goes away or stops reading ends it.

    No call on a socket takes longer than ``within`` seconds.
    """
    assert capture.main_path is not None
    recordings: list[bytes | bytearray] = [capture.main_path.read_bytes()]
    for number, path in enumerate(capture.channel_paths()):
        recordings.append(damaged(capture, fault) if number == CHANNEL else path.read_bytes())
    with suppress(OSError, EnvironmentBroke), ExitStack() as stack:
        connections = [stack.enter_context(connect(address, within)) for _ in recordings]
        # Channels before main, each from its first byte: main's flush marks wait for them.
        for connection, recording in zip(connections[1:], recordings[1:], strict=True):
            connection.sendall(recording)
        connections[0].sendall(recordings[0])
