"""The relay: forwards a migration over a link that misbehaves as declared (:class:`multifd.wire.link.Link`).

It listens where the sender connects and makes a connection of its own for each. The first one to come is main, for a
QEMU connects it first; the others say which channel they are. It keeps what one read gives, and nothing else: who is
not read is blocked.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Final, Self

from multifd.errors import EnvironmentBroke, MultifdError
from multifd.migrate.address import UnreachableError, connect, listen
from multifd.migrate.crew import Crew, cut
from multifd.migrate.stream import chunks
from multifd.wire.fields import INIT, PREFIX, RAM
from multifd.wire.link import MAIN, Boundary, Link, Order, Stranger
from multifd.wire.packet import INIT_SIZE, header_size, pack_init

_BACKLOG: Final = 256
_GARBAGE: Final = bytes(range(256))
_TICKS: Final = 20
"""Reads a second of a slow link."""
_RETRY: Final = 0.01
"""Seconds."""
_SYNC: Final = 1


class Relay:
    """A link in use, in threads of its own; leaving the block cuts every connection that is left.

    ``address`` is where to listen and ``upstream`` where the receiver does. The sender opens ``channels`` besides main.
    ``deadline`` is in seconds from entering the block.
    """

    def __init__(
        self, address: str, upstream: str, link: Link, channels: int, deadline: float, *, page_size: int, raw: bool
    ) -> None:
        self.address = address
        self._upstream = upstream
        self._link = link
        self._channels = channels
        self._deadline = deadline
        self._page_size = page_size
        self._raw = raw
        self._crew = Crew(deadline)
        self._crew.awaited = lambda: "no end of the migration"
        self._over = threading.Event()
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        """Listen, and connect a stranger who comes first; raises EnvironmentBroke where that is not possible."""
        server, self.address = listen(self.address, _BACKLOG)
        self._server = self._crew.add(server)
        self._connect_stranger(Stranger.SILENT, Stranger.LEAVES, Stranger.GARBAGE)
        self._crew.begin()
        self._crew.start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._crew.end()
        self._crew.close()

    @property
    def carrier(self) -> Crew:
        """Whose threads and connections the stream goes through."""
        return self._crew

    def _accept(self) -> None:
        try:
            senders = (self._crew.add(self._server.accept()[0]) for _ in range(1 + self._channels))
            if self._link.order is not Order.AS_THEY_COME:
                self._in_order(list(senders))
            else:
                self._as_they_come(senders)
        except (OSError, MultifdError) as problem:
            # Nobody is there any more: the sender finds what it would find without us.
            self._server.close()
            self._crew.fail(problem)

    def _as_they_come(self, senders: Iterator[socket.socket]) -> None:
        main, opening = next(senders), list[threading.Thread]()
        if self._link.channel == MAIN:
            opening.append(self._crew.start(partial(self._open, main, True)))
        else:
            self._forward_both(main, self._to_receiver(), MAIN, 0)
        self._connect_stranger(Stranger.SECOND)
        opening += [self._crew.start(partial(self._open, sender, False)) for sender in senders]
        for thread in opening:
            thread.join()
        self._connect_stranger(Stranger.LAST)

    def _in_order(self, senders: list[socket.socket]) -> None:
        main, *others = senders
        by_number = {_channel(init := _init(sender)): (sender, init) for sender in others}
        by_number[MAIN] = main, b""
        channels = sorted(by_number.keys() - {MAIN}, reverse=True)
        for number in (*channels, MAIN) if self._link.order is Order.MAIN_LAST else (MAIN, *channels):
            sender, init = by_number[number]
            receiver = self._to_receiver()
            receiver.sendall(init)
            self._forward_both(sender, receiver, number, len(init))

    def _open(self, sender: socket.socket, is_main: bool) -> None:
        """A channel, whose number says whether it is the one that the link is about."""
        try:
            init = b"" if is_main else _init(sender)
            number = MAIN if is_main else _channel(init)
            ours = number == self._link.channel
            if ours and self._link.late:
                self._over.wait(self._link.late)
            receiver = self._to_receiver()
            if ours and self._link.cut is not None and self._cut_in_init(sender, receiver, init):
                return
            receiver.sendall(init)
        except (OSError, EnvironmentBroke):
            cut(sender)
            return
        self._forward_both(sender, receiver, number, len(init))

    def _cut_in_init(self, sender: socket.socket, receiver: socket.socket, init: bytes) -> bool:
        assert self._link.cut is not None
        kept = {Boundary.BEFORE_INIT: 0, Boundary.IN_INIT: len(init) // 2, Boundary.AFTER_INIT: len(init)}
        if self._link.cut.at not in kept:
            return False
        receiver.sendall(init[: kept[self._link.cut.at]])
        self._end(sender, receiver)
        return True

    def _forward_both(self, sender: socket.socket, receiver: socket.socket, number: int, at: int) -> None:
        self._crew.start(partial(_pass_on, receiver, sender))
        self._crew.start(partial(self._forward, sender, receiver, number, at))

    def _forward(self, sender: socket.socket, receiver: socket.socket, number: int, at: int) -> None:
        link, ours = self._link, number == self._link.channel
        stall = link.stall if ours else None
        place = Places(self._page_size, raw=self._raw) if ours and link.cut is not None else None
        try:
            for data in self._coming(sender):
                if place is not None:
                    assert link.cut is not None
                    upto = place.find(data, link.cut.at)
                    if upto is not None:
                        receiver.sendall(data[:upto])
                        self._end(sender, receiver)
                        return
                receiver.sendall(data)
                at += len(data)
                if stall is not None and at >= stall.behind:
                    self._over.wait(stall.seconds)
                    stall = None
            if place is not None:
                self._end(sender, receiver)
            receiver.shutdown(socket.SHUT_WR)
        except OSError:
            cut(sender, receiver)

    def _coming(self, sender: socket.socket) -> Iterator[memoryview]:
        """What a sender sends; of a slow link only as much as it takes."""
        rate = self._link.rate
        if rate is None:
            yield from chunks(sender)
            return
        while data := sender.recv(rate // _TICKS):
            with self._turn:
                self._over.wait(len(data) / rate)
            yield memoryview(data)

    def _end(self, sender: socket.socket, receiver: socket.socket) -> None:
        assert self._link.cut is not None
        if not self._link.cut.half:
            cut(sender, receiver)
            return
        receiver.shutdown(socket.SHUT_WR)
        for _ in chunks(sender):
            pass

    def _connect_stranger(self, *now: Stranger) -> None:
        """Whoever comes now, if that is one of these."""
        stranger = self._link.stranger
        if stranger not in now:
            return
        connection = self._to_receiver()
        with suppress(OSError):  # whoever is turned away is nobody's loss
            match stranger:
                case Stranger.LEAVES:
                    connection.close()
                case Stranger.GARBAGE:
                    connection.sendall(_GARBAGE)
                case Stranger.SECOND | Stranger.LAST:
                    connection.sendall(pack_init(self._channels))

    def _to_receiver(self) -> socket.socket:
        while True:
            try:
                return self._crew.add(connect(self._upstream, self._deadline))
            except UnreachableError as problem:
                # A Unix socket has a short queue of those who wait to be accepted, and nobody waits to be in it.
                if os.strerror(errno.EAGAIN) not in str(problem) or self._over.wait(_RETRY):
                    raise


class Places:
    """Finds a boundary in the stream of one channel behind its init packet, as it comes."""

    def __init__(self, page_size: int, *, raw: bool) -> None:
        self._page_size = page_size
        self._raw = raw
        self._header = bytearray()
        self._payload = 0
        self._packets = 0
        self._synced = False

    def find(self, data: memoryview, boundary: Boundary) -> int | None:
        """How many of these bytes come before it; None if it is not in them."""
        at = 0
        while at < len(data):
            if not self._header and self._starts(boundary):
                return at
            if self._payload and not self._missing:
                if boundary is Boundary.IN_PAYLOAD:
                    return at + min(self._payload // 2, len(data) - at)
                step = min(self._payload, len(data) - at)
                self._payload -= step
                at += step
            else:
                step = min(self._missing, len(data) - at)
                self._header += data[at : at + step]
                at += step
                if boundary is Boundary.IN_HEADER:
                    return at - step // 2
                if not self._missing:
                    self._payload = self._size()
            if not self._missing and not self._payload:
                self._done()
        return None

    @property
    def _missing(self) -> int:
        return header_size(self._page_size) - len(self._header)

    def _starts(self, boundary: Boundary) -> bool:
        return (boundary is Boundary.BETWEEN and self._packets > 0) or (boundary is Boundary.AT_SYNC and self._synced)

    def _size(self) -> int:
        normal, size = (int(RAM[name].read(self._header)) for name in ("normal_pages", "next_packet_size"))
        whole = normal * self._page_size if self._raw else size
        return whole if normal else 0

    def _done(self) -> None:
        self._packets += int(RAM["normal_pages"].read(self._header)) > 0
        self._synced |= bool(int(PREFIX["flags"].read(self._header)) & _SYNC)
        self._header.clear()


def _init(sender: socket.socket) -> bytes:
    return sender.recv(INIT_SIZE, socket.MSG_WAITALL)


def _channel(init: bytes) -> int:
    return int(INIT["id"].read(init)) if len(init) == INIT_SIZE else MAIN - 1


def _pass_on(receiver: socket.socket, sender: socket.socket) -> None:
    """What the receiver says to the sender, its end included."""
    try:
        for data in chunks(receiver):
            sender.sendall(data)
        sender.shutdown(socket.SHUT_WR)
    except OSError:
        cut(sender, receiver)
