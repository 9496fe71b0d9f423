"""The relay does to connections what is declared, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from multifd.migrate.address import connect, listen
from multifd.migrate.relay import Places, Relay
from multifd.wire.link import Boundary, Cut, Link, Order, Stall, Stranger
from multifd.wire.packet import INIT_SIZE, RamHeader, header_size, pack_init, pack_ram

LONG: Final = 20.0
HEADER: Final = header_size(4096)
SIZE: Final = 1000


def packet(normal: int = 1, flags: int = 2) -> bytes:
    """One with a payload, or without."""
    size = SIZE if normal else 0
    header = RamHeader(flags, 128, normal, size, 0, 0, "m", np.array([0] * normal, np.uint64))
    return bytes(pack_ram(header, 4096)) + bytes(size)


SYNC: Final = packet(normal=0, flags=1)
STREAM: Final = packet() + packet() + SYNC


class Both:
    """A sender's connections and a receiver, with a relay in between."""

    def __init__(self, stack: ExitStack, tmp_path: Path, link: Link) -> None:
        self._stack = stack
        self.server, upstream = listen(f"unix:{tmp_path}/upstream", 8)
        stack.callback(self.server.close)
        self.server.settimeout(LONG)
        relay = Relay(f"unix:{tmp_path}/relay", upstream, link, 2, LONG, page_size=4096, raw=False)
        self.address = stack.enter_context(relay).address

    def senders(self) -> tuple[socket.socket, ...]:
        """Main and two channels, which have said who they are."""
        main, *channels = (self._stack.enter_context(connect(self.address, LONG)) for _ in range(3))
        for number, channel in enumerate(channels):
            channel.sendall(pack_init(number))
        return main, *channels

    def accepted(self) -> socket.socket:
        """The next connection that the receiver sees."""
        connection = self._stack.enter_context(self.server.accept()[0])
        connection.settimeout(LONG)
        return connection


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def who(connection: socket.socket) -> int:
    """The channel that a connection says it is."""
    return connection.recv(INIT_SIZE, socket.MSG_WAITALL)[24]


def rest(connection: socket.socket) -> bytes:
    """Everything until its end."""
    found = b""
    while data := connection.recv(1 << 16):
        found += data
    return found


def test_main_comes_last_and_channels_in_reverse(stack: ExitStack, tmp_path: Path) -> None:
    both = Both(stack, tmp_path, Link("", order=Order.MAIN_LAST))
    main, *_ = both.senders()
    main.sendall(b"QEVM")

    order = [who(both.accepted()), who(both.accepted())]

    assert order == [1, 0]
    assert both.accepted().recv(4) == b"QEVM"


def channel_one(both: Both) -> tuple[socket.socket, socket.socket]:
    """Both ends of channel 1 behind its init packet."""
    _, _, sender = both.senders()
    both.accepted()
    for _ in range(2):
        connection = both.accepted()
        init = connection.recv(INIT_SIZE, socket.MSG_WAITALL)
        if len(init) < INIT_SIZE or init[24] == 1:
            return sender, connection
    raise AssertionError("channel 1 did not come")


def test_what_is_not_named_passes_unchanged_with_its_end(stack: ExitStack, tmp_path: Path) -> None:
    sender, receiver = channel_one(Both(stack, tmp_path, Link("")))
    sender.sendall(STREAM)
    sender.shutdown(socket.SHUT_WR)

    assert rest(receiver) == STREAM


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        (Boundary.IN_HEADER, range(1, HEADER)),
        (Boundary.IN_PAYLOAD, range(HEADER, HEADER + SIZE)),
        (Boundary.BETWEEN, [HEADER + SIZE]),
        (Boundary.AT_SYNC, [len(STREAM)]),
    ],
)
def test_a_channel_is_cut_where_it_says(at: Boundary, kept: Sequence[int], stack: ExitStack, tmp_path: Path) -> None:
    sender, receiver = channel_one(Both(stack, tmp_path, Link("", cut=Cut(at))))
    sender.sendall(STREAM + packet())

    assert len(rest(receiver)) in kept
    assert sender.recv(1) == b""


def test_a_channel_that_is_cut_in_its_init_packet(stack: ExitStack, tmp_path: Path) -> None:
    _, receiver = channel_one(Both(stack, tmp_path, Link("", cut=Cut(Boundary.IN_INIT))))

    assert rest(receiver) == b""


def test_a_half_closed_channel_takes_what_the_sender_sends(stack: ExitStack, tmp_path: Path) -> None:
    sender, receiver = channel_one(Both(stack, tmp_path, Link("", cut=Cut(Boundary.BETWEEN, half=True))))
    sender.sendall(STREAM)

    assert len(rest(receiver)) == HEADER + SIZE
    sender.sendall(bytes(1 << 20))


def test_a_stalled_channel_keeps_its_sender_from_sending_and_goes_on(stack: ExitStack, tmp_path: Path) -> None:
    sender, receiver = channel_one(Both(stack, tmp_path, Link("", stall=Stall(1, 1.0))))
    sender.sendall(b"1")
    receiver.recv(1)
    sender.settimeout(0.1)

    with pytest.raises(TimeoutError):
        sender.sendall(bytes(8 << 20))
    sender.shutdown(socket.SHUT_WR)

    assert 0 < len(rest(receiver)) < 8 << 20


@pytest.mark.parametrize(
    ("stranger", "said"), [(Stranger.LEAVES, b""), (Stranger.GARBAGE, bytes(range(8)))], ids=lambda each: str(each)[:12]
)
def test_a_stranger_comes_first(stranger: Stranger, said: bytes, stack: ExitStack, tmp_path: Path) -> None:
    both = Both(stack, tmp_path, Link("", stranger=stranger))

    assert both.accepted().recv(8) == said


def test_a_stranger_comes_between_main_and_the_channels(stack: ExitStack, tmp_path: Path) -> None:
    both = Both(stack, tmp_path, Link("", stranger=Stranger.SECOND))
    both.senders()
    both.accepted()

    assert who(both.accepted()) == 2


@pytest.mark.parametrize("step", [1, 7, HEADER, 1 << 20])
@pytest.mark.parametrize("boundary", [Boundary.BETWEEN, Boundary.AT_SYNC])
def test_a_boundary_is_found_however_the_bytes_come(boundary: Boundary, step: int) -> None:
    places, at, data = Places(4096, raw=False), 0, memoryview(STREAM + packet())

    while (found := places.find(data[at : at + step], boundary)) is None:
        at += step

    assert at + found == {Boundary.BETWEEN: HEADER + SIZE, Boundary.AT_SYNC: len(STREAM)}[boundary]
