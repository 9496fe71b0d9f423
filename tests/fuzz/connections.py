"""A sender that sends what it was given, on all connections at once, to a splice or a tap before a receiver that reads
everything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from multifd.codec import create
from multifd.codec.reference import reference
from multifd.errors import MultifdError
from multifd.migrate.address import connect, listen
from multifd.migrate.capture import Capture
from multifd.migrate.crew import DeadlineError
from multifd.migrate.splice import Side, Splice, Splicing
from multifd.migrate.tap import Tap
from multifd.wire.invariants import Sender
from multifd.wire.promise import promise_of
from multifd.wire.witness import Witness

LONG: Final = 20.0
"""Seconds in which everything here ends."""


def spliced(capture: Capture, streams: Sequence[bytes], directory: Path) -> None:
    """Main and the channels go through a splice into another method; it is through, or refuses, and never waits."""
    manifest, framing = capture.manifest, capture.framing
    sender = Side.of(framing.name, manifest.dialect, create(reference(framing.container)))
    receiver = Side.of("zlib", "qemu-10.0", create("zlib"))
    splicing = Splicing(sender, receiver, manifest.page_size, manifest.ramblocks, manifest.channels)
    with _receiver(directory / "receiver") as upstream:
        server, address = listen(f"unix:{directory / 'splice'}", 8)
        splice = Splice(splicing, upstream, LONG)
        sending = threading.Thread(target=_send, args=(address, streams))
        sending.start()
        try:
            splice.run(server)
        except DeadlineError:
            raise
        except (MultifdError, ConnectionError):
            pass
        finally:
            splice.close()
            sending.join()


def tapped(capture: Capture, streams: Sequence[bytes], directory: Path) -> None:
    """Main and the channels go past a witness into a capture, which can be read if it was saved."""
    manifest, framing, spoken = capture.manifest, capture.framing, capture.dialect
    witness = Witness(
        Sender(
            spoken, spoken.flag(framing.travels_as), framing.raw_pages, manifest.page_size, promise_of((10, 0)),
            capture.main_sync, manifest.channels,
        )
    )  # fmt: skip
    with (
        _receiver(directory / "receiver") as upstream,
        Tap(f"unix:{directory / 'tap'}", upstream, directory / "recorded", LONG, witness=witness) as tap,
    ):
        _send(tap.address, streams)
        try:
            tap.save(framing=framing.name, dialect=manifest.dialect, page_size=manifest.page_size)
            Capture.open(directory / "recorded")
        except DeadlineError:
            raise
        except MultifdError:
            pass
    watched = witness.conclude(completed=True, transferred=0)
    assert watched.carried >= 0


def _send(address: str, streams: Sequence[bytes]) -> None:
    """Say these, each on a connection of its own, and go."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(address, LONG)) for _ in streams]
        each = [
            threading.Thread(target=_say, args=(connection, stream))
            for connection, stream in zip(connections, streams, strict=True)
        ]
        for thread in each:
            thread.start()
        for thread in each:
            thread.join()


def _say(connection: socket.socket, stream: bytes) -> None:
    with suppress(OSError):
        connection.sendall(stream)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):
            pass


@contextmanager
def _receiver(path: Path) -> Iterator[str]:
    """Its address; what is said to it is read."""
    server, address = listen(f"unix:{path}", 8)
    readers: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection = server.accept()[0]
                readers.append(threading.Thread(target=_drain, args=(connection,)))
                readers[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield address
    finally:
        server.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        accepting.join()
        server.close()
        for reader in readers:
            reader.join()


def _drain(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        while connection.recv(1 << 16):
            pass
