"""Play a capture to a live receiver, with one field of one packet overwritten on the way."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Final

from multifd.errors import EnvironmentBroke
from multifd.migrate.address import connect
from multifd.migrate.capture import Capture
from multifd.migrate.crew import Crew, DeadlineError
from multifd.wire.fault import CHANNEL, Fault
from multifd.wire.fields import INIT
from multifd.wire.main_reader import MainReader
from multifd.wire.main_stream import EndOfSection, Flush, RamEnd
from multifd.wire.packet import RamHeader
from multifd.wire.scan import scan

_MAGIC: Final = INIT["magic"].size
"""Bytes: enough for a receiver to know what it is."""
_PATIENCE: Final = 0.1
"""Seconds in which a receiver that notices something hangs up; it never sends anything on a channel."""


def damaged(capture: Capture, fault: Fault) -> bytearray:
    """The recording of :data:`CHANNEL` with the fault in its init packet or first packet with pages."""
    data = bytearray(capture.channel_path(CHANNEL).read_bytes())
    fault.damage(data, 0 if fault.packet is INIT else _first_with_pages(bytes(data), capture))
    return data


def _first_with_pages(data: bytes, capture: Capture) -> int:
    packets = scan(data, capture.manifest.page_size, capture.dialect, raw_pages=capture.framing.raw_pages)
    return next(p.at for p in packets if isinstance(p.header, RamHeader) and p.header.normal_pages)


def play(capture: Capture, fault: Fault, address: str, within: float) -> None:
    """Send the capture over sockets, main connected first; a receiver that goes away or stops reading ends it.

    As with a real sender, which fails when a channel is cut, the main channel ends where it is if the receiver hangs up
    on a channel. A receiver that hangs is waited for ``within`` seconds.
    """
    assert capture.main_path is not None
    recordings: list[bytes | bytearray] = [capture.main_path.read_bytes()]
    for number, path in enumerate(capture.channel_paths()):
        recordings.append(damaged(capture, fault) if number == CHANNEL else path.read_bytes())
    crew = Crew(within)
    with suppress(OSError, EnvironmentBroke, DeadlineError), closing(crew), crew.watching():
        main, *channels = [crew.add(connect(address, within)) for _ in recordings]
        epochs = _epochs(recordings[0], capture.manifest.page_size)
        main.sendall(next(epochs))
        # Before the rest of main, whose flush marks wait for them.
        for connection, recording in zip(channels, recordings[1:], strict=True):
            connection.sendall(recording)
        # A receiver knows its blocks from here on, and judges no packet before.
        main.sendall(next(epochs))
        # Not select(2), which knows no descriptor above 1023.
        heard = select.poll()
        for channel in channels:
            heard.register(channel, select.POLLIN)
        for part in epochs:
            if heard.poll(1000 * _PATIENCE):
                return
            main.sendall(part)


def _epochs(main: bytes | bytearray, page_size: int) -> Iterator[memoryview]:
    """A main channel, cut behind its magic and behind each mark at which a receiver waits for all channels."""
    view, reader, start = memoryview(main), MainReader(page_size), _MAGIC
    yield view[:_MAGIC]
    reader.feed(view[:_MAGIC])
    for at in range(_MAGIC, len(view)):
        events = reader.feed(view[at : at + 1])
        if any(isinstance(event, Flush | EndOfSection) for event in events):
            yield view[start : at + 1]
            start = at + 1
        if any(isinstance(event, RamEnd) for event in events):
            break
    yield view[start:]
