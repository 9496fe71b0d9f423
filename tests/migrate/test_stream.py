"""Byte streams: what was written is read, whatever the sizes of the reads."""

from __future__ import annotations

import socket
import threading
from typing import Final

import numpy as np
import pytest

from multifd.migrate.stream import SocketSink, SocketSource

DATA: Final = np.random.default_rng(0).bytes(5 << 20)


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param((12, 1332, 512 << 10, 12, 1332, 1 << 20), id="packets"),
        pytest.param((12, (1 << 20) + 1, 12, 3 << 20, 12), id="more than a payload"),
    ],
)
def test_a_socket_gives_the_bytes_in_order(sizes: tuple[int, ...]) -> None:
    ours, theirs = socket.socketpair()
    source, sink = SocketSource(ours), SocketSink(theirs)
    writer = threading.Thread(target=sink.write, args=([DATA[: sum(sizes)]],))
    writer.start()

    received = b"".join(bytes(source.read(size)) for size in sizes)

    writer.join()
    ours.close()
    theirs.close()
    assert received == DATA[: sum(sizes)]


def test_a_socket_that_ends_gives_what_came_before() -> None:
    ours, theirs = socket.socketpair()
    source = SocketSource(ours)
    theirs.sendall(b"0123456789ab" + b"short")
    theirs.close()

    first, rest = bytes(source.read(12)), bytes(source.read(1 << 20))

    ours.close()
    assert (first, rest) == (b"0123456789ab", b"short")
