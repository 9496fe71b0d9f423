"""Our live receiver: accepts the connections of a migration and applies them, each in its own thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from multifd.errors import MultifdError, WireError
from multifd.framing.coder import Codec
from multifd.peer.apply import ChannelApplier, Destination, MainApplier, Reception
from multifd.peer.stream import SocketSource
from multifd.wire import main_channel
from multifd.wire.barrier import MAIN, SyncBarrier
from multifd.wire.packet import MAGIC


class DeadlineError(MultifdError):
    """The other side did not do its part in time; ``str()`` says what was being waited for."""


class _Stopped(Exception):  # noqa: N818  (not an error: another thread has it)
    """Another thread has failed; this one just ends."""


class _Rendezvous:
    """The SYNC barrier with threads that wait at it."""

    def __init__(self, channels: int) -> None:
        self._barrier = SyncBarrier(channels)
        self._condition = threading.Condition()
        self._stopped = False

    def wait(self, channel: int) -> None:
        """Arrive at the end of the epoch and wait for everybody else."""
        with self._condition:
            epoch = self._barrier.epoch
            if self._barrier.arrive(channel):
                self._condition.notify_all()
                return
            self._condition.wait_for(lambda: self._stopped or self._barrier.epoch > epoch)
            if self._barrier.epoch == epoch:
                raise _Stopped

    def stop(self) -> None:
        """Let everybody go; nobody arrives any more."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def missing(self) -> str:
        """Who keeps the others waiting, in words."""
        names = ["main" if c == MAIN else f"channel {c}" for c in sorted(self._barrier.missing)]
        return f"epoch {self._barrier.epoch} is not ended by {', '.join(names)}"


class Receiver:
    """One migration, from the first connection to the end of all of them."""

    def __init__(
        self,
        server: socket.socket,
        reception: Reception,
        codec: Codec,
        destination: Destination,
        deadline: float,
    ) -> None:
        self._server = server
        self._reception = reception
        self._codec = codec
        self._destination = destination
        self._deadline = deadline
        self._rendezvous = _Rendezvous(reception.channels)
        self._connections: list[socket.socket] = []
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        self.appliers: dict[int, ChannelApplier] = {}

    @property
    def packets(self) -> int:
        """Packets whose pages were applied."""
        return sum(applier.packets for applier in self.appliers.values())

    def run(self) -> None:
        """Receive everything; the first error of any thread is raised when all threads have ended.

        Raises WireError, PayloadError, Unsupported, or DeadlineError after ``deadline`` seconds.
        """
        with self._watchdog():
            main = self._accept_all()
            threads = [
                threading.Thread(target=self._guard, args=(self._run_channel, applier))
                for applier in self.appliers.values()
            ]
            for thread in threads:
                thread.start()
            self._guard(self._run_main, main)
            for thread in threads:
                thread.join()
        if self._errors:
            raise self._errors[0]

    def close(self) -> None:
        """Close every connection."""
        self._shut()
        for connection in self._connections:
            connection.close()
        self._server.close()

    def _accept_all(self) -> socket.socket:
        """Main and N channels, in any order: each says what it is with its first four bytes."""
        main: socket.socket | None = None
        expires = time.monotonic() + self._deadline
        while main is None or len(self.appliers) < self._reception.channels:
            connection = self._accept(expires)
            magic = int.from_bytes(connection.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL))
            if magic == main_channel.MAGIC and main is None:
                main = connection
                continue
            if magic == main_channel.MAGIC:
                raise WireError("magic", magic, MAGIC, f"multifd: received packet magic {magic:x} expected {MAGIC:x}")
            applier = ChannelApplier(self._reception, self._codec, self._destination, SocketSource(connection))
            channel = applier.open()
            if channel in self.appliers:
                raise WireError(
                    "channel id", channel, "each id once", f"multifd: received id '{channel}' already setup'"
                )
            self.appliers[channel] = applier
        return main

    def _accept(self, expires: float) -> socket.socket:
        self._server.settimeout(max(0.001, expires - time.monotonic()))
        try:
            connection, _ = self._server.accept()
        except TimeoutError:
            have = len(self._connections)
            raise DeadlineError(
                f"{have} of {1 + self._reception.channels} connections came within {self._deadline:g} s"
            ) from None
        connection.setblocking(True)
        self._connections.append(connection)
        return connection

    def _run_channel(self, applier: ChannelApplier) -> None:
        while applier.run_epoch():
            self._rendezvous.wait(applier.channel)

    def _run_main(self, connection: socket.socket) -> None:
        source = SocketSource(connection)
        applier = MainApplier(self._reception, self._destination)
        while len(chunk := source.read_some()):
            for _ in applier.feed(chunk):
                self._rendezvous.wait(MAIN)
        applier.finish()

    def _guard(self, run: Callable[..., None], argument: object) -> None:
        try:
            run(argument)
        except _Stopped:
            pass
        except Exception as problem:
            self._fail(problem)

    def _fail(self, problem: Exception) -> None:
        with self._lock:
            self._errors.append(problem)
        self._rendezvous.stop()
        self._shut()

    def _shut(self) -> None:
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _watchdog(self) -> Iterator[None]:
        timer = threading.Timer(
            self._deadline,
            lambda: self._fail(DeadlineError(f"no end within {self._deadline:g} s: {self._rendezvous.missing()}")),
        )
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._shut()
