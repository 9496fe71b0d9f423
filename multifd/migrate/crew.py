"""Threads over the connections of one migration, which end together.

The first error of any of them, or the deadline, cuts every connection: whoever is blocked on one returns at once, so
that no thread of ours, and no process on another side, waits for ever.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from multifd.errors import MultifdError, WireError
from multifd.wire.fields import MAGIC
from multifd.wire.main_stream import FILE_MAGIC


class DeadlineError(MultifdError):
    """The other side did not do its part in time; ``str()`` says what was being waited for."""


class Stopped(Exception):  # noqa: N818  (not an error: another thread has it)
    """Raised by a thread that ends because another one has failed."""


def _nothing() -> None:
    pass


class Crew:
    """The connections and the threads of one migration.

    ``deadline`` is in seconds from the start of :meth:`watching`; ``stop`` is called when all has to end, to wake those
    who wait for something else than a connection.
    """

    def __init__(self, deadline: float, stop: Callable[[], None] = _nothing) -> None:
        self.awaited: Callable[[], str] = lambda: "nothing was done"
        """What is being waited for, in words."""
        self._deadline = deadline
        self._stop = stop
        self._connections: list[socket.socket] = []
        self._errors: list[Exception] = []
        self._lock = threading.Lock()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Cut everything when the block fails, takes too long, or has ended; raises the first error of all."""
        timer = threading.Timer(self._deadline, lambda: self.fail(self._late()))
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as problem:
            self.fail(problem)
        finally:
            timer.cancel()
            self._cut()
        if self._errors:
            raise self._errors[0]

    def accept(self, server: socket.socket, channels: int) -> Iterator[tuple[socket.socket, bool]]:
        """Connections of a sender as they come, each with whether it is main, until main and ``channels`` have come.

        They come in any order: each says what it is with its first four bytes. Raises WireError for a second main
        channel, DeadlineError if they do not come.
        """
        expires = time.monotonic() + self._deadline
        have_main, others = False, 0
        self.awaited = lambda: f"{have_main + others} of {1 + channels} connections came"
        while not have_main or others < channels:
            server.settimeout(max(0.001, expires - time.monotonic()))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                raise self._late() from None
            connection.setblocking(True)
            self.add(connection)
            magic = int.from_bytes(connection.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL))
            is_main = magic == FILE_MAGIC
            if is_main and have_main:
                raise WireError("magic", magic, MAGIC, f"multifd: received packet magic {magic:x} expected {MAGIC:x}")
            have_main, others = have_main or is_main, others + (not is_main)
            yield connection, is_main

    def add(self, connection: socket.socket) -> socket.socket:
        """Cut and close this connection with all others."""
        with self._lock:
            self._connections.append(connection)
        return connection

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run each task in a thread of its own, to the end of all of them."""
        threads = [threading.Thread(target=self._guarded, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def fail(self, problem: Exception) -> None:
        """End everything for this reason; only the first one counts."""
        with self._lock:
            self._errors.append(problem)
        self._stop()
        self._cut()

    def close(self) -> None:
        """Close every connection."""
        self._cut()
        for connection in self._connections:
            connection.close()

    def _late(self) -> DeadlineError:
        return DeadlineError(f"{self.awaited()} within {self._deadline:g} s")

    def _guarded(self, task: Callable[[], None]) -> None:
        try:
            task()
        except Stopped:
            pass
        except Exception as problem:
            self.fail(problem)

    def _cut(self) -> None:
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
