"""Addresses of peers: ``unix:PATH`` and ``tcp:HOST:PORT``."""

from __future__ import annotations

import os
import socket

from multifd.errors import EnvironmentBroke, InputError
from multifd.memory.scratch import SOCKET_PATH


class UnreachableError(EnvironmentBroke):
    """Nobody listens at an address."""


def _tcp(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise InputError(f"address {address!r}: expected tcp:HOST:PORT with a port of 0 to 65535")
    return host, int(port)


def _family(address: str) -> str:
    family, _, rest = address.partition(":")
    if family not in ("unix", "tcp") or not rest:
        raise InputError(f"address {address!r}: expected unix:PATH or tcp:HOST:PORT")
    length = len(os.fsencode(rest))
    if family == "unix" and length > SOCKET_PATH:
        raise EnvironmentBroke(
            f"{address}: path of {length} bytes, expected at most {SOCKET_PATH} for a socket (unix(7))"
        )
    return family


def listen(address: str, backlog: int) -> tuple[socket.socket, str]:
    """A listening socket and its real address (a TCP port of 0 is replaced by the one given)."""
    family = _family(address)
    try:
        if family == "unix":
            server = socket.socket(socket.AF_UNIX)
            server.bind(address.removeprefix("unix:"))
            server.listen(backlog)
            return server, address
        server = socket.create_server(_tcp(address), backlog=backlog)
        host, port = server.getsockname()[:2]
        return server, f"tcp:{host}:{port}"
    except OSError as problem:
        raise EnvironmentBroke(f"{address}: cannot listen: {problem.strerror or problem}") from None


def connect(address: str, within: float | None = None) -> socket.socket:
    """A connection to a listening peer; connecting, and every call on it, may take ``within`` seconds.

    Raises :class:`UnreachableError` where there is none.
    """
    family = _family(address)
    try:
        if family == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(within)
            connection.connect(address.removeprefix("unix:"))
            return connection
        connection = socket.create_connection(_tcp(address), within)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    except OSError as problem:
        raise UnreachableError(f"{address}: cannot connect: {problem.strerror or problem}") from None
