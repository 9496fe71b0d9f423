"""A capture on its way to a live receiver, with a fault in it; nobody can hold it up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from multifd.migrate.address import listen
from multifd.migrate.capture import Capture
from multifd.migrate.playback import damaged, play
from multifd.wire.fault import FAULTS
from tests.run.recording import record

QUICK = 0.2
"""Seconds that a call on a socket may take here."""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Two channels of pages as they are: more than a socket's buffers hold."""
    return record(tmp_path_factory.mktemp("capture"), "none", "none")


class _Collector:
    """Accepts connections and reads each to its end."""

    def __init__(self, server: socket.socket) -> None:
        self.received: list[bytes] = []
        self._server = server
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def finished(self) -> list[bytes]:
        """What came, in the order of the connections."""
        self._thread.join(20)
        return self.received

    def _run(self) -> None:
        with ExitStack() as stack:
            connections = [stack.enter_context(self._server.accept()[0]) for _ in range(3)]
            buffers = [bytearray() for _ in connections]
            readers = [
                threading.Thread(target=self._read, args=pair) for pair in zip(connections, buffers, strict=True)
            ]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            self.received = [bytes(buffer) for buffer in buffers]

    @staticmethod
    def _read(connection: socket.socket, buffer: bytearray) -> None:
        while chunk := connection.recv(1 << 16):
            buffer += chunk


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A listening socket and its address."""
    listening, address = listen(f"unix:{tmp_path / 'socket'}", 3)
    with listening:
        yield listening, address


def test_everything_is_sent_main_first_with_the_fault_in_it(
    capture: Capture, server: tuple[socket.socket, str]
) -> None:
    collector = _Collector(server[0])

    play(capture, FAULTS["magic"], server[1], 20)

    assert capture.main_path is not None
    assert collector.finished() == [
        capture.main_path.read_bytes(),
        *damaged(capture, FAULTS["magic"]),
    ]


def test_a_receiver_that_never_accepts_does_not_hold_it_up(capture: Capture, server: tuple[socket.socket, str]) -> None:
    play(capture, FAULTS["magic"], server[1], QUICK)


def test_a_receiver_whose_backlog_is_full_does_not_hold_it_up(capture: Capture, tmp_path: Path) -> None:
    listening, address = listen(f"unix:{tmp_path / 'socket'}", 0)

    with listening:
        play(capture, FAULTS["magic"], address, QUICK)


def test_a_receiver_that_goes_away_just_ends_it(capture: Capture, server: tuple[socket.socket, str]) -> None:
    server[0].close()

    play(capture, FAULTS["magic"], server[1], QUICK)
