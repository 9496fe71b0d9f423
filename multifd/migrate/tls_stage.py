"""TLS before a peer that knows none, and behind one: a stage of its own that forwards each connection.

::

    QEMU  --TLS-->  stage that accepts it  -->  our receiver, or our splice
                                                our splice  -->  stage that speaks it  --TLS-->  QEMU

So what reads and writes packets stays what it is, and everything that it does is also done under TLS.
"""

from __future__ import annotations

import selectors
import socket
import ssl
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Self

from multifd.migrate.address import connect, listen
from multifd.migrate.crew import Crew, cut

_READ: Final = 1 << 18
"""Bytes; no less than a record of TLS (RFC 8446, section 5.1), so that nothing that was read stays behind unseen."""
_BACKLOG: Final = 256
_GONE: Final = (OSError, ValueError)
"""What a connection says that has been cut; ValueError from TLS's."""


class TlsStage:
    """Forwards every connection to ``address`` to ``upstream``, in threads of its own; leaving the block cuts them.

    ``near`` is TLS towards who connects, ``far`` towards ``upstream``, whose certificate must have the name
    ``hostname``; None for a side in the clear. Connections go on in the order in which they come (QEMU 7.2 takes the
    first for main). One whose handshake fails is closed on both sides. ``deadline`` is in seconds from entering the
    block, as :class:`multifd.migrate.crew.Crew` has it.
    """

    def __init__(
        self, address: str, upstream: str, deadline: float, *, near: ssl.SSLContext | None = None,
        far: ssl.SSLContext | None = None, hostname: str | None = None,
    ) -> None:  # fmt: skip
        self.address = address
        self._upstream = upstream
        self._deadline = deadline
        self._near = near
        self._far = far
        self._hostname = hostname
        self._crew = Crew(deadline)

    def __enter__(self) -> Self:
        """Listen; raises EnvironmentBroke where that is not possible."""
        self._server, self.address = listen(self.address, _BACKLOG)
        self._crew.add(self._server)
        self._crew.begin()
        self._crew.start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._crew.end()
        self._crew.close()

    @property
    def carrier(self) -> Crew:
        """Whose threads and connections the stream goes through."""
        return self._crew

    def _accept(self) -> None:
        with suppress(*_GONE):
            while True:
                near = self._server.accept()[0]
                far = connect(self._upstream, self._deadline)
                if self._near is not None:
                    near = self._near.wrap_socket(near, server_side=True, do_handshake_on_connect=False)
                if self._far is not None:
                    far = self._far.wrap_socket(far, server_hostname=self._hostname, do_handshake_on_connect=False)
                self._crew.start(partial(_forward, self._crew.add(near), self._crew.add(far)))


def accepting(directory: Path) -> ssl.SSLContext:
    """TLS as a destination speaks it, for who has a certificate of its authority; files as QEMU names them."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(directory / "ca-cert.pem"))
    context.load_cert_chain(directory / "server-cert.pem", directory / "server-key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def speaking(directory: Path) -> ssl.SSLContext:
    """TLS as a source speaks it."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(directory / "ca-cert.pem"))
    context.load_cert_chain(directory / "client-cert.pem", directory / "client-key.pem")
    return context


def _forward(near: socket.socket, far: socket.socket) -> None:
    try:
        for each in (near, far):
            if isinstance(each, ssl.SSLSocket):
                each.do_handshake()
        _both_ways(near, far)
    except _GONE:
        cut(near, far)


def _both_ways(near: socket.socket, far: socket.socket) -> None:
    """Until both have ended; each is told when the other has."""
    others = {near: far, far: near}
    with selectors.DefaultSelector() as selector:
        for each in others:
            selector.register(each, selectors.EVENT_READ)
        while others:
            for key, _ in selector.select():
                assert isinstance(key.fileobj, socket.socket)
                ready: socket.socket = key.fileobj
                data = _received(ready)
                if data:
                    others[ready].sendall(data)
                elif data is not None:
                    selector.unregister(ready)
                    _end(others.pop(ready))


def _received(connection: socket.socket) -> bytes | None:
    """What has come, nothing at the end; None where it was but TLS's own, such as a session ticket."""
    connection.setblocking(False)
    try:
        return connection.recv(_READ)
    except (ssl.SSLWantReadError, BlockingIOError):
        return None
    finally:
        connection.setblocking(True)


def _end(connection: socket.socket) -> None:
    """Say that nothing more comes; TLS's answer to that is not waited for."""
    if not isinstance(connection, ssl.SSLSocket):
        connection.shutdown(socket.SHUT_WR)
        return
    connection.setblocking(False)
    with suppress(ssl.SSLError, OSError):
        connection.unwrap()
    connection.setblocking(True)
