"""The kernel tells whom a socket leads to and what has not been read from it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from multifd.process.sockets import among_themselves, open_by, unix_sockets, unread

pytestmark = pytest.mark.skipif(
    not unix_sockets(), reason="the kernel tells nothing of sockets; remedy: load its module unix_diag"
)


def inode(connection: socket.socket) -> int:
    """By which a socket is known."""
    return os.fstat(connection.fileno()).st_ino


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def pair(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    one, other = socket.socketpair()
    return stack.enter_context(one), stack.enter_context(other)


def listening(stack: ExitStack, path: Path) -> socket.socket:
    """A server at a path."""
    server = stack.enter_context(socket.socket(socket.AF_UNIX))
    server.bind(str(path))
    server.listen()
    return server


def client(stack: ExitStack, path: Path) -> socket.socket:
    """One that has connected there."""
    connection = stack.enter_context(socket.socket(socket.AF_UNIX))
    connection.connect(str(path))
    return connection


def test_a_process_has_its_sockets(pair: tuple[socket.socket, socket.socket]) -> None:
    assert open_by(os.getpid()) >= set(map(inode, pair))


def test_bytes_that_were_not_read_are_counted_at_either_end(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    one.sendall(b"12345")

    for end in pair:
        assert unread([inode(end)], [], unix_sockets()) == {inode(other): 5}


def test_bytes_between_them_and_a_path_of_ours_are_not(stack: ExitStack, tmp_path: Path) -> None:
    server = listening(stack, tmp_path / "ours")
    connection = client(stack, tmp_path / "ours")
    stack.enter_context(server.accept()[0]).sendall(b"12345")

    assert unread([inode(connection)], [str(tmp_path / "ours")], unix_sockets()) == {}


def test_both_ends_of_a_connection_are_among_themselves(pair: tuple[socket.socket, socket.socket]) -> None:
    assert among_themselves(list(map(inode, pair)), [], unix_sockets())


def test_one_end_leads_elsewhere(pair: tuple[socket.socket, socket.socket]) -> None:
    assert not among_themselves([inode(pair[0])], [], unix_sockets())


def test_an_end_that_is_sure_needs_no_other(pair: tuple[socket.socket, socket.socket]) -> None:
    one = inode(pair[0])

    assert among_themselves([one], [], unix_sockets(), [one])


def test_one_end_leads_to_a_path_of_ours(stack: ExitStack, tmp_path: Path) -> None:
    server = listening(stack, tmp_path / "ours")
    connection = client(stack, tmp_path / "ours")
    stack.enter_context(server.accept()[0])

    assert among_themselves([inode(connection)], [str(tmp_path / "ours")], unix_sockets())


def test_who_waits_to_be_accepted_is_in_the_hands_of_who_listens(stack: ExitStack, tmp_path: Path) -> None:
    server, connection = listening(stack, tmp_path / "theirs"), client(stack, tmp_path / "theirs")

    assert not among_themselves([inode(connection)], [], unix_sockets())
    assert among_themselves([inode(connection), inode(server)], [], unix_sockets())


def test_a_connection_whose_other_end_is_closed_leads_to_nobody(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    other.close()

    assert among_themselves([inode(one)], [], unix_sockets())


def test_of_tcp_nobody_knows(stack: ExitStack) -> None:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    assert not among_themselves([inode(server)], [], unix_sockets())
