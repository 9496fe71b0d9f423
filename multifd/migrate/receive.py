"""Our live receiver: accepts the connections of a migration and applies them, each in its own thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial

from multifd.errors import WireError
from multifd.framing.coder import Codec
from multifd.migrate.apply import ChannelApplier, Destination, MainApplier, Reception
from multifd.migrate.crew import Crew, Stopped
from multifd.migrate.stream import SocketSource, chunks
from multifd.wire.barrier import MAIN, SyncBarrier
from multifd.wire.return_path import StreamEnd, shut


class _Rendezvous:
    """The SYNC barrier with threads that wait at it."""

    def __init__(self, channels: int) -> None:
        self._barrier = SyncBarrier(channels)
        self._condition = threading.Condition()
        self._stopped = False
        self._left: set[int] = set()

    def wait(self, channel: int) -> None:
        """Arrive at the end of the epoch and wait for everybody else; raises WireError if somebody will not come."""
        with self._condition:
            epoch = self._barrier.epoch
            if self._barrier.arrive(channel):
                self._condition.notify_all()
                return
            self._condition.wait_for(lambda: self._stopped or self._barrier.epoch > epoch or self._lost())
            if self._barrier.epoch > epoch:
                return
            if self._stopped:
                raise Stopped
            raise WireError("SYNC", f"none on {_names(self._lost())}", "one on main and every channel: others have it")

    def leave(self, channel: int) -> None:
        """This one has come to the end of its stream."""
        with self._condition:
            self._left.add(channel)
            self._condition.notify_all()

    def stop(self) -> None:
        """Let everybody go; nobody arrives any more."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def missing(self) -> str:
        """Who keeps the others waiting, in words."""
        return f"epoch {self._barrier.epoch} is not ended by {_names(self._barrier.missing)}"

    def _lost(self) -> AbstractSet[int]:
        return self._barrier.missing & self._left


def _names(channels: AbstractSet[int]) -> str:
    return ", ".join("main" if channel == MAIN else f"channel {channel}" for channel in sorted(channels))


class Receiver:
    """One migration, from the first connection to the end of all of them.

    ``return_path``: the sender waits on the main channel to be told that all went well.
    """

    def __init__(
        self,
        server: socket.socket,
        reception: Reception,
        codec: Codec,
        destination: Destination,
        deadline: float,
        *,
        return_path: bool = False,
    ) -> None:
        self._server = server
        self._reception = reception
        self._codec = codec
        self._destination = destination
        self._return_path = return_path
        self._rendezvous = _Rendezvous(reception.channels)
        self._crew = Crew(deadline, self._rendezvous.stop)
        self.appliers: dict[int, ChannelApplier] = {}

    @property
    def packets(self) -> int:
        """Packets whose pages were applied."""
        return sum(applier.packets for applier in self.appliers.values())

    def run(self) -> None:
        """Receive everything; the first error of any thread is raised when all threads have ended.

        Raises WireError, PayloadError, Unsupported, or DeadlineError after ``deadline`` seconds.
        """
        with self._crew.watching():
            main = self._accept_all()
            self._crew.awaited = self._rendezvous.missing
            self._crew.run(
                [
                    partial(self._run_main, main),
                    *(partial(self._run_channel, applier) for applier in self.appliers.values()),
                ]
            )

    def close(self) -> None:
        """Close every connection."""
        self._crew.close()
        self._server.close()

    def _accept_all(self) -> socket.socket:
        """Main; its channels are appliers then."""
        for connection, is_main in self._crew.accept(self._server, self._reception.channels):
            if is_main:
                main = connection
                continue
            applier = ChannelApplier(self._reception, self._codec, self._destination, SocketSource(connection))
            channel = applier.open()
            if channel in self.appliers:
                message = self._reception.dialect.wording.init_id_twice.format(value=channel)
                raise WireError("channel id", channel, "each id once", message)
            self.appliers[channel] = applier
        return main

    def _run_channel(self, applier: ChannelApplier) -> None:
        while applier.run_epoch():
            self._rendezvous.wait(applier.channel)
        self._rendezvous.leave(applier.channel)

    def _run_main(self, connection: socket.socket) -> None:
        applier = MainApplier(self._reception, self._destination)
        end = StreamEnd()
        for chunk in chunks(connection):
            for _ in applier.feed(chunk):
                self._rendezvous.wait(MAIN)
            if self._return_path and applier.ended and end.feed(chunk):
                # A sender that has closed already does not wait.
                with suppress(ConnectionError):
                    connection.sendall(shut())
                break
        applier.finish()
        self._rendezvous.leave(MAIN)
