"""A nursery of our own peers: a process that has loaded everything, and forks when a peer is wanted.

To load the interpreter, numpy and pydantic takes a third of a second, to fork some milliseconds; a run starts
dozens of peers. Nobody sees a difference: a peer is a process with a session, pipes and an exit status of its own,
and what it runs is ``multifd.peer`` as ever. A request is one packet on the nursery's stdin, a socket of type
SEQPACKET: the peer's arguments, with them its ends of three pipes and of a *lease*. A lease is such a socket, too:

============  ================================================================
direction     carries
============  ================================================================
to the owner  the peer's process id; when it has ended, its exit status
from it       nothing; where it ends, the peer's process group is killed
============  ================================================================

Until then a dead peer stays a zombie, so that its number means nobody else. When the owner dies, whatever way, its
sockets are closed, and nothing is left. When the nursery dies, its peers die, too, and whoever wants one next starts
another nursery. This module is the owner's end, :mod:`multifd.peer.forks` the other one.

Under a vendor library's loader, or in another environment, a process of its own forks. No library is loaded before.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Final, Self

from multifd.errors import EnvironmentBroke
from multifd.process.child import NOWHERE, Child, Running, execute, fate
from multifd.process.patience import Patience
from multifd.process.python import python
from multifd.process.threads import dead

MODULE: Final = ("-m", "multifd.peer")
"""Python's arguments for our own peers, before codec and parameters."""
PROGRAM: Final = python(*MODULE)
"""Our own peers, before codec and parameters; started with :data:`multifd.process.python.ENVIRONMENT`."""
FORKS: Final = "--forks"
"""The argument that makes the program a nursery."""

_LIBRARY_PATH: Final = "--library-path"
"""Between a loader and the folders in which it is to look stands this (ld.so(8))."""
_SINGLE: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""What forks has one thread; numpy's library would start more."""
_READY: Final = 60.0
"""Seconds in which a nursery has loaded everything, or a killed peer has ended."""
_NUMBER: Final = 16
"""Bytes that a number on a lease fits into."""


class Nursery:
    """Starts our own peers by fork, and any other command the plain way. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[object, _Server] = {}
        """By how they are started: under which loader, in which environment."""

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> Running:
        """Start a peer, a :data:`multifd.process.child.Start`; where no nursery lives, one of our own starts it.

        Where none can live, as under a loader that does not work, the peer is executed, and says so itself.
        """
        program, arguments = _parted(command)
        if not program:
            return execute(command, environment)
        try:
            return _Forked(self._living(program, environment), arguments)
        except EnvironmentBroke:
            return execute(command, environment)

    def _living(self, program: Sequence[str], environment: Mapping[str, str]) -> _Server:
        way = tuple(program), tuple(sorted(environment.items()))
        with self._lock:
            if way in self._servers and self._servers[way].dead:
                self._servers.pop(way).close()
            if way not in self._servers:
                self._servers[way] = _Server(program, environment)
            return self._servers[way]

    def close(self) -> None:
        """End the nursery with every peer that has not been ended."""
        for server in self._servers.values():
            server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parted(command: Sequence[str]) -> tuple[tuple[str, ...], Sequence[str]]:
    """Our own program, under its loader if it has one, and its arguments; no program where it is another."""
    ours = (3 if command[1:2] == (_LIBRARY_PATH,) else 0) + len(PROGRAM)
    return (tuple(command[:ours]) if tuple(command[ours - len(PROGRAM) : ours]) == PROGRAM else (), command[ours:])


class _Server:
    """The process that forks."""

    def __init__(self, program: Sequence[str], environment: Mapping[str, str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = Child(
                (*program, FORKS), {**environment, **_SINGLE}, stdin=theirs.fileno(), stdout=NOWHERE, stderr=None
            )
        self.pid = self._process.pid

    def ask(self, arguments: Sequence[str], descriptors: Sequence[int]) -> None:
        """Ask for a peer with these pipes and this lease."""
        with suppress(OSError):  # if it is gone, the lease says so
            socket.send_fds(self._requests, ["\0".join(arguments).encode()], descriptors)

    @property
    def dead(self) -> bool:
        """It has ended."""
        return self._process.wait(0) is not None

    def gone(self) -> EnvironmentBroke:
        """What to raise when it has ended."""
        return EnvironmentBroke(f"the nursery of our peers {fate(self._process.ended())}")

    def close(self) -> None:
        self._requests.close()
        self._process.ended()


class _Forked:
    """A peer, our grandchild, held by its lease."""

    def __init__(self, server: _Server, arguments: Sequence[str]) -> None:
        self._server = server
        self._status: int | None = None
        (stdin, requests), (replies, stdout), (log, stderr) = os.pipe(), os.pipe(), os.pipe()
        self.stdin: IO[bytes] = os.fdopen(requests, "wb", 0)
        self.stdout: IO[bytes] = os.fdopen(replies, "rb", 0)
        self.stderr: IO[bytes] = os.fdopen(log, "rb", 0)
        self._lease, lease = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with lease:
            server.ask(arguments, (stdin, stdout, stderr, lease.fileno()))
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)
        self.pid = self._born()

    def wait(self, seconds: float) -> int | None:
        if self._status is None:
            self._status = self._number(seconds)
        if self._status is None and dead(self.pid):
            # The nursery has yet to say so: it tells a death a little later than others can see it.
            self._status = self._number(_READY)
        return self._status

    def end(self) -> None:
        with self._lease, suppress(OSError):
            self._lease.shutdown(socket.SHUT_WR)
            self._lease.settimeout(_READY)
            while self._lease.recv(_NUMBER):
                pass

    def _born(self) -> int:
        """Its process id, when the nursery has forked."""
        patience = Patience(_READY, lambda: [self._server.pid])
        while (pause := patience.pause()) is not None:
            if (pid := self._number(pause)) is not None:
                return pid
        raise EnvironmentBroke(f"the nursery of our peers did not fork {patience.within}")

    def _number(self, seconds: float) -> int | None:
        """What comes by the lease within ``seconds``."""
        self._lease.settimeout(seconds)
        try:
            number = self._lease.recv(_NUMBER)
        except (TimeoutError, BlockingIOError):
            return None
        if not number:
            raise self._server.gone()
        return int(number)
