"""TLS before a peer that knows none, and behind one: nothing is lost, nothing is added, and nobody else gets in."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.address import connect, listen
from multifd.migrate.tls_stage import TlsStage, accepting, speaking
from multifd.qemu.tls import DESTINATION, Credential, Store

LONG: Final = 20.0
MUCH: Final = bytes(range(256)) * (1 << 12)
"""More than any buffer between the ends."""


@pytest.fixture
def place() -> Iterator[Path]:
    path = make_scratch(1 << 20)
    yield path
    remove_scratch(path)


@pytest.fixture
def store() -> Iterator[Store]:
    with TemporaryDirectory() as directory:
        yield Store(Path(directory))


class Upstream:
    """Who listens behind a relay: takes one connection after the other, and reads each to its end."""

    def __init__(self, place: Path, context: ssl.SSLContext | None = None) -> None:
        self._server, self.address = listen(f"unix:{place / 'upstream'}", 8)
        self._context = context
        self._taken: queue.Queue[bytes] = queue.Queue()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                connection = self._server.accept()[0]
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                with connection:
                    self._taken.put(read(connection))
                    connection.sendall(b"thanks")

    def next(self) -> bytes:
        """What came over the next connection, once that has ended."""
        return self._taken.get(timeout=LONG)

    @property
    def waits(self) -> bool:
        """No further connection has ended."""
        return self._taken.empty()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(LONG)
        self._server.close()


def read(connection: socket.socket) -> bytes:
    """All that comes."""
    parts = []
    while data := connection.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)


def client(address: str, store: Store, credential: Credential = Credential.X509) -> ssl.SSLSocket:
    """A connection as a QEMU makes it."""
    directory = store.directory(credential, "sender")
    context = ssl.create_default_context(cafile=str(directory / "ca-cert.pem"))
    if credential is Credential.X509:
        context = speaking(directory)
    return context.wrap_socket(connect(address, LONG), server_hostname=DESTINATION)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def end(connection: ssl.SSLSocket) -> None:
    """Say that nothing more comes; what the other end still says is not read."""
    with suppress(ssl.SSLError):
        connection.unwrap()


def before(stack: ExitStack, place: Path, store: Store) -> tuple[Upstream, str]:
    """A peer in the clear behind a relay that accepts TLS."""
    upstream = Upstream(place)
    stack.callback(upstream.close)
    context = accepting(store.directory(Credential.X509, "receiver"))
    return upstream, stack.enter_context(
        TlsStage(f"unix:{place / 'here'}", upstream.address, LONG, near=context)
    ).address


def test_what_comes_by_tls_goes_on_in_the_clear(place: Path, store: Store, stack: ExitStack) -> None:
    upstream, address = before(stack, place, store)

    with client(address, store) as connection:
        connection.sendall(MUCH)
        end(connection)

        assert upstream.next() == MUCH


def test_an_answer_comes_back_by_tls(place: Path, store: Store, stack: ExitStack) -> None:
    context = accepting(store.directory(Credential.X509, "receiver"))
    server, upstream = listen(f"unix:{place / 'upstream'}", 1)
    relay = stack.enter_context(TlsStage(f"unix:{place / 'here'}", upstream, LONG, near=context))

    with server, client(relay.address, store) as connection, server.accept()[0] as behind:
        behind.sendall(b"shut")

        assert connection.recv(4) == b"shut"


def test_what_comes_in_the_clear_goes_on_by_tls(place: Path, store: Store, stack: ExitStack) -> None:
    upstream = Upstream(place, accepting(store.directory(Credential.X509, "receiver")))
    stack.callback(upstream.close)
    context = speaking(store.directory(Credential.X509, "sender"))
    relay = TlsStage(f"unix:{place / 'here'}", upstream.address, LONG, far=context, hostname=DESTINATION)

    with relay, connect(relay.address, LONG) as connection:
        connection.sendall(MUCH)
        connection.shutdown(socket.SHUT_WR)
        answer = read(connection)

    assert (upstream.next(), answer) == (MUCH, b"thanks")


def test_who_has_no_certificate_gets_nothing_through(place: Path, store: Store, stack: ExitStack) -> None:
    upstream, address = before(stack, place, store)

    with pytest.raises(OSError), client(address, store, Credential.ANONYMOUS) as connection:
        while True:
            connection.sendall(MUCH)
            connection.recv(1)

    assert upstream.next() == b""


def test_a_destination_of_another_name_is_not_spoken_to(place: Path, store: Store, stack: ExitStack) -> None:
    upstream = Upstream(place, accepting(store.directory(Credential.X509, "receiver")))
    stack.callback(upstream.close)
    context = speaking(store.directory(Credential.X509, "sender"))
    relay = TlsStage(f"unix:{place / 'here'}", upstream.address, LONG, far=context, hostname="elsewhere.example")

    with relay, connect(relay.address, LONG) as connection:
        assert read(connection) == b""

    assert upstream.waits


def test_connections_go_on_in_the_order_in_which_they_come(place: Path, store: Store, stack: ExitStack) -> None:
    upstream, address = before(stack, place, store)

    connections = [stack.enter_context(client(address, store)) for _ in range(4)]
    for number in range(4):
        connections[number].sendall(bytes([number]))
        end(connections[number])

    assert [upstream.next() for _ in range(4)] == [bytes([number]) for number in range(4)]


def test_leaving_ends_what_is_left(place: Path, store: Store, stack: ExitStack) -> None:
    _, address = before(stack, place, store)

    with client(address, store) as connection:
        stack.close()

        with suppress(ssl.SSLError, ConnectionError):
            assert connection.recv(1) == b""
