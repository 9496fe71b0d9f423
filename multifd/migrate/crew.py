"""Threads over the connections of one migration, which end together.

The first error of any of them, or the deadline, cuts every connection: whoever is blocked on one returns at once, so
that no thread of ours, and no process on another side, waits for ever. At the deadline nobody may be at work any more,
neither we nor whoever is at the other end of a Unix socket (:mod:`multifd.process.patience`): a receiver waits for a
sender that is slow, and not for one that sleeps. Of the other end of a TCP connection only what it sends can be seen.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Final

from multifd.errors import MultifdError, WireError
from multifd.process.patience import Patience
from multifd.wire.fields import MAGIC
from multifd.wire.main_stream import FILE_MAGIC

Task = Callable[[], None]
"""What one thread does."""

_CREDENTIALS: Final = struct.Struct("3i")
"""Process, user and group id (unix(7), ``SO_PEERCRED``)."""


class DeadlineError(MultifdError):
    """The other side did not do its part in time; ``str()`` says what was being waited for."""


class Stopped(Exception):  # noqa: N818  (not an error: another thread has it)
    """Raised by a thread that ends because another one has failed."""


def _nothing() -> None:
    pass


class Crew:
    """The connections and the threads of one migration.

    ``deadline`` is in seconds from :meth:`begin`; ``stop`` is called when all has to end, to wake those who wait for
    something else than a connection.
    """

    def __init__(self, deadline: float, stop: Task = _nothing) -> None:
        self.awaited: Callable[[], str] = lambda: "nothing was done"
        """What is being waited for, in words."""
        self._deadline = deadline
        self._stop = stop
        self._connections: list[socket.socket] = []
        self._errors: list[Exception] = []
        self._threads: list[threading.Thread] = []
        self._lanes: list[ThreadPoolExecutor] = []
        self._cutting = False
        self._lock = threading.Lock()
        self._over = threading.Event()

    @property
    def error(self) -> Exception | None:
        """The first one of all."""
        with self._lock:
            return self._errors[0] if self._errors else None

    @property
    def threads(self) -> list[int]:
        """Native ids of those that carry something."""
        return [thread.native_id for thread in self._threads if thread.native_id is not None and thread.is_alive()]

    @property
    def sockets(self) -> dict[int, int | None]:
        """The connections by inode, with the process at the other end; None where that cannot be known."""
        with self._lock:
            there = [each for each in self._connections if each.fileno() >= 0]
            return {os.fstat(each.fileno()).st_ino: _other_end(each) for each in there}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Cut everything when the block fails, takes too long, or has ended; raises the first error of all."""
        self.begin()
        try:
            yield
        except Stopped:
            pass
        except Exception as problem:
            self.fail(problem)
        finally:
            self.end()
        if self.error is not None:
            raise self.error

    def begin(self) -> None:
        """From now on the deadline counts."""
        self._watch = threading.Thread(target=self._wait, daemon=True)
        self._watch.start()

    def end(self) -> None:
        """Cut everything, and wait for every thread."""
        self._over.set()
        self._watch.join()
        self._cut()
        for lane in self._lanes:
            lane.shutdown()
        for thread in self._threads:
            thread.join()

    def accept(self, server: socket.socket, channels: int) -> Iterator[tuple[socket.socket, bool]]:
        """Connections of a sender as they come, each with whether it is main, until main and ``channels`` have come.

        They come in any order: each says what it is with its first four bytes. Raises WireError for a second main
        channel, Stopped if they do not come.
        """
        have_main, others = False, 0
        self.awaited = lambda: f"{have_main + others} of {1 + channels} connections came"
        self.add(server)
        while not have_main or others < channels:
            try:
                connection, _ = server.accept()
            except OSError:
                if self.error is None:
                    raise
                raise Stopped from None
            self.add(connection)
            magic = int.from_bytes(connection.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL))
            is_main = magic == FILE_MAGIC
            if is_main and have_main:
                raise WireError("magic", magic, MAGIC, f"multifd: received packet magic {magic:x} expected {MAGIC:x}")
            have_main, others = have_main or is_main, others + (not is_main)
            yield connection, is_main

    def add(self, connection: socket.socket) -> socket.socket:
        """Make this connection a blocking one, which is cut and closed with all others."""
        connection.settimeout(None)
        with self._lock:
            self._connections.append(connection)
            if self._cutting:
                cut(connection)
        return connection

    def run(self, tasks: Sequence[Task]) -> None:
        """Run each task in a thread of its own, to the end of all of them; raises Stopped if anybody has failed."""
        threads = [self.start(task) for task in tasks]
        for thread in threads:
            thread.join()
        if self.error is not None:
            raise Stopped

    def run_in_lanes(self, tasks: Sequence[Task]) -> None:
        """As :meth:`run`, but each place in the sequence has one thread for as long as there are connections.

        So has each channel of a QEMU for a whole migration: what a codec keeps for a thread stays with its channel.
        """
        for _ in tasks[len(self._lanes) :]:
            self._lanes.append(ThreadPoolExecutor(1))
        wait([lane.submit(self._guarded, task) for lane, task in zip(self._lanes, tasks, strict=False)])
        if self.error is not None:
            raise Stopped

    def start(self, task: Task) -> threading.Thread:
        """Run a task in a thread of its own; its error ends everything."""
        thread = threading.Thread(target=self._guarded, args=(task,))
        self._threads.append(thread)
        thread.start()
        return thread

    def fail(self, problem: Exception) -> None:
        """End everything for this reason; only the first one counts."""
        self.note(problem)
        self._stop()
        self._cut()

    def note(self, problem: Exception) -> None:
        """Count this as an error that ends nothing."""
        with self._lock:
            self._errors.append(problem)

    def close(self) -> None:
        """Close every connection."""
        self._cut()
        for connection in self._connections:
            connection.close()

    def _wait(self) -> None:
        patience = Patience(self._deadline, self._whom)
        while (pause := patience.pause()) is not None:
            if self._over.wait(pause):
                return
        self.fail(DeadlineError(f"{self.awaited()} {patience.within}"))

    def _whom(self) -> set[int]:
        """Processes at either end of every connection."""
        with self._lock:
            return {os.getpid(), *filter(None, map(_other_end, self._connections))}

    def _guarded(self, task: Task) -> None:
        try:
            task()
        except Stopped:
            pass
        except Exception as problem:
            self.fail(problem)

    def _cut(self) -> None:
        with self._lock:
            self._cutting = True
            cut(*self._connections)


def cut(*connections: socket.socket | None) -> None:
    """Wake whoever is blocked on one of these, on either side."""
    for connection in connections:
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _other_end(connection: socket.socket) -> int | None:
    """The process that connected, or that listens; None where that cannot be known."""
    if connection.family != socket.AF_UNIX:
        return None
    try:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except OSError:
        return None
    pid: int = _CREDENTIALS.unpack(credentials)[0]
    return pid or None
