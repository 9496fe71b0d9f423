"""Play a capture to a live receiver as a sender that misbehaves would have sent it."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from typing import Final

from multifd.errors import EnvironmentBroke
from multifd.migrate.address import connect
from multifd.migrate.capture import Capture
from multifd.migrate.crew import Crew, DeadlineError, Stopped
from multifd.migrate.misbehave import Recorded, misbehave
from multifd.wire.dialect import MainSync
from multifd.wire.fault import Fault
from multifd.wire.fields import INIT
from multifd.wire.main_reader import MainReader
from multifd.wire.main_stream import EndOfSection, Flush, RamEnd

_MAGIC: Final = INIT["magic"].size
"""Bytes: enough for a receiver to know what it is."""
HEARING: Final = 0.1
"""Seconds in which a QEMU that notices something hangs up; it never sends anything on a channel."""


def damaged(capture: Capture, fault: Fault) -> list[bytes]:
    """The recorded channels with the fault in them."""
    return misbehave([path.read_bytes() for path in capture.channel_paths()], fault, recorded(capture))


def recorded(capture: Capture) -> Recorded:
    """How its channels were recorded."""
    manifest = capture.manifest
    return Recorded(
        manifest.page_size, capture.dialect, capture.framing, manifest.ramblocks, frozenset(manifest.sha256)
    )


def play(capture: Capture, fault: Fault, address: str, within: float, hearing: float = 0) -> None:
    """Send the capture over sockets, main connected first; a receiver that goes away or stops reading ends it.

    As with a real sender, which fails when a channel is cut, the main channel ends where it is if the receiver hangs up
    on a channel within ``hearing`` seconds of each mark on it. A receiver that hangs is waited for ``within`` seconds.
    """
    assert capture.main_path is not None
    recording, channels = capture.main_path.read_bytes(), damaged(capture, fault)
    crew = Crew(within)
    with suppress(OSError, EnvironmentBroke, DeadlineError, Stopped), closing(crew), crew.watching():
        main, *connections = [crew.add(connect(address, within)) for _ in range(1 + len(channels))]
        epochs = _epochs(recording, capture)
        main.sendall(next(epochs))
        # Before the rest of main, whose flush marks wait for them; each by itself, for one may wait for another.
        senders = [
            crew.start(partial(_send, connection, data)) for connection, data in zip(connections, channels, strict=True)
        ]
        # A receiver knows its blocks from here on, and judges no packet before.
        main.sendall(next(epochs))
        # Not select(2), which knows no descriptor above 1023.
        heard = select.poll()
        for connection in connections:
            heard.register(connection, select.POLLIN)
        for part in epochs:
            if hearing and heard.poll(1000 * hearing):
                return
            main.sendall(part)
        for sender in senders:
            sender.join()


def _send(connection: socket.socket, data: bytes) -> None:
    """All of one channel, and its end: whoever waits for more of it waits in vain."""
    with suppress(OSError):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def _epochs(main: bytes | bytearray, capture: Capture) -> Iterator[memoryview]:
    """A main channel, cut behind its magic and behind each mark at which a receiver waits for all channels."""
    mark = Flush if capture.main_sync is MainSync.FLUSH else EndOfSection
    view, reader, start = memoryview(main), MainReader(capture.manifest.page_size), _MAGIC
    yield view[:_MAGIC]
    reader.feed(view[:_MAGIC])
    for at in range(_MAGIC, len(view)):
        events = reader.feed(view[at : at + 1])
        if any(isinstance(event, mark) for event in events):
            yield view[start : at + 1]
            start = at + 1
        if any(isinstance(event, RamEnd) for event in events):
            break
    yield view[start:]
