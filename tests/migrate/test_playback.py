"""A capture on its way to a live receiver: one field is changed and nothing else; nobody can hold it up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from multifd.memory.layout import PageSize
from multifd.migrate.address import listen
from multifd.migrate.capture import Capture
from multifd.migrate.playback import damaged, play
from multifd.wire.fault import CHANNEL, FAULTS, Fault
from multifd.wire.fields import INIT, RAM
from multifd.wire.packet import INIT_SIZE, unpack_ram
from tests.run.recording import PAGE, record

QUICK = 0.2
"""Seconds that a call on a socket may take here."""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Two channels of pages as they are: more than a socket's buffers hold."""
    return record(tmp_path_factory.mktemp("capture"), "none", "none")


def _differing(one: bytes | bytearray, other: bytes) -> list[int]:
    return [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]


@pytest.mark.parametrize("fault", [f for f in FAULTS.values() if f.packet is INIT], ids=lambda f: f.name)
def test_a_fault_in_the_init_packet_changes_its_field_only(fault: Fault, capture: Capture) -> None:
    offset, size = fault.place.offset, fault.place.size

    changed = _differing(damaged(capture, fault), capture.channel_path(CHANNEL).read_bytes())

    assert changed
    assert set(changed) <= set(range(offset, offset + size))


@pytest.mark.parametrize("fault", [f for f in FAULTS.values() if f.packet is RAM], ids=lambda f: f.name)
def test_a_fault_in_a_packet_changes_its_field_in_the_first_packet_with_pages(fault: Fault, capture: Capture) -> None:
    offset, size = fault.place.offset, fault.place.size
    original = capture.channel_path(CHANNEL).read_bytes()

    changed = _differing(damaged(capture, fault), original)

    at = changed[0] // 8 * 8 - offset // 8 * 8
    first = unpack_ram(original[at:], PAGE)
    assert at > INIT_SIZE
    assert first.normal_pages > 0
    assert set(changed) <= set(range(at + offset, at + offset + size))


@pytest.mark.parametrize("page_size", [4096, 16384, 65536])
def test_the_first_packet_with_pages_is_found_whatever_their_size(page_size: PageSize, tmp_path: Path) -> None:
    capture = record(tmp_path, "zlib", page_size=page_size)
    original = capture.channel_path(CHANNEL).read_bytes()

    (at, *_) = _differing(damaged(capture, FAULTS["magic"]), original)

    at -= at % 4
    assert at > INIT_SIZE
    assert unpack_ram(original[at:], page_size).normal_pages > 0


def test_a_fault_may_set_bits_and_keep_the_others(capture: Capture) -> None:
    fault = Fault("test", RAM, "normal_pages", 1 << 12, "", added=True)
    original = capture.channel_path(CHANNEL).read_bytes()

    changed = damaged(capture, fault)

    (at,) = _differing(changed, original)
    assert changed[at] == original[at] | 0x10


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


def test_everything_is_sent_main_first_and_only_one_channel_is_damaged(
    capture: Capture, server: tuple[socket.socket, str]
) -> None:
    collector = _Collector(server[0])

    play(capture, FAULTS["magic"], server[1], 20)

    assert capture.main_path is not None
    assert collector.finished() == [
        capture.main_path.read_bytes(),
        capture.channel_path(0).read_bytes(),
        bytes(damaged(capture, FAULTS["magic"])),
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
