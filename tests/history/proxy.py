"""Stands between a source and whoever it migrates to, and puts one defect into what travels."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from typing_extensions import Buffer

from multifd.migrate.address import connect, listen
from multifd.migrate.misbehave import Sent
from multifd.migrate.stream import SocketSource, chunks
from multifd.wire.fields import INIT, MAGIC, RAM
from multifd.wire.packet import INIT_SIZE, header_size
from tests.history.packets import Cut, Pause, Rewrite, Step

_BACKLOG: Final = 256
_PAGE: Final = 4096
_WITHIN: Final = 20.0
_MAGIC: Final = MAGIC.to_bytes(4)


def untouched() -> Rewrite:
    """Every packet as it is."""
    return lambda _, packet: iter((packet,))


@dataclass(frozen=True, slots=True)
class Way:
    """What becomes of what travels."""

    rewrite: Callable[[], Rewrite] = untouched
    raw_pages: bool = False
    """Payloads are pages as they are, whatever a header says of their size."""
    ids: Callable[[int], int] | None = None
    """The channel's id becomes another."""
    main_last: int = 0
    """The main channel reaches the receiver after so many others."""
    piece: int | None = None
    """Bytes that are sent at a time."""


class Proxy:
    """One migration through it, from ``here`` to ``upstream``; leaving the block cuts what is left of it."""

    def __init__(self, way: Way, here: str, upstream: str) -> None:
        self.changed = 0
        """Packets and connections that are not as they would have been."""
        self._way = way
        self._rewrite = way.rewrite()
        self._upstream = upstream
        self._server, self.here = listen(here, _BACKLOG)
        self._open = [self._server]
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._others = threading.Semaphore(0)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_WITHIN)
        for connection in self._open:
            connection.close()

    def _start(self, run: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=run, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        late = bool(self._way.main_last)
        with suppress(OSError):
            while True:
                sender, _ = self._server.accept()
                self._open.append(sender)
                # In the order in which they come, for some receivers take the first for main.
                self._start(self._run, sender, None if late else self._connect())
                late = False

    def _connect(self) -> socket.socket:
        receiver = connect(self._upstream, _WITHIN)
        receiver.settimeout(None)
        self._open.append(receiver)
        self._others.release()
        return receiver

    def _run(self, sender: socket.socket, receiver: socket.socket | None) -> None:
        try:
            if receiver is None:
                for _ in range(self._way.main_last):
                    self._others.acquire(timeout=_WITHIN)
                receiver = self._connect()
                self.changed += 1
            self._start(_back, receiver, sender)
            magic = sender.recv(len(_MAGIC), socket.MSG_WAITALL)
            self._send(receiver, magic)
            if magic == _MAGIC:
                self._channel(sender, receiver)
            else:
                for chunk in chunks(sender):
                    self._send(receiver, chunk)
            receiver.shutdown(socket.SHUT_WR)
        except (OSError, EOFError):
            _cut(sender, *([receiver] if receiver is not None else []))

    def _channel(self, sender: socket.socket, receiver: socket.socket) -> None:
        source = SocketSource(sender)
        init = bytearray(_MAGIC + source.read(INIT_SIZE - len(_MAGIC)))
        number = init[INIT["id"].offset]
        if self._way.ids is not None:
            init[INIT["id"].offset] = self._way.ids(number)
            self.changed += init[INIT["id"].offset] != number
        self._send(receiver, init[len(_MAGIC) :])
        epoch = 0
        while header := bytearray(source.read(header_size(_PAGE))):
            packet = Sent(header, bytearray(source.read(_follows(header, raw_pages=self._way.raw_pages))), epoch)
            epoch += packet.sync
            with self._lock:
                before = packet.copy()
                steps = list(self._rewrite(number, packet))
                self.changed += steps != [before]
            self._do(steps, receiver)

    def _do(self, steps: list[Step], receiver: socket.socket) -> None:
        for step in steps:
            match step:
                case Pause(seconds):
                    self._over.wait(seconds)
                case Cut():
                    raise EOFError
                case Sent():
                    self._send(receiver, step.header + step.payload)

    def _send(self, receiver: socket.socket, data: Buffer) -> None:
        view = memoryview(data)
        piece = self._way.piece or max(len(view), 1)
        for at in range(0, len(view), piece):
            receiver.sendall(view[at : at + piece])


def _follows(header: bytearray, *, raw_pages: bool) -> int:
    """Bytes of the payload behind a header."""
    pages, size = (RAM[name].read(header) for name in ("normal_pages", "next_packet_size"))
    assert isinstance(pages, int) and isinstance(size, int)
    return (pages * _PAGE if raw_pages else size) if pages else 0


def _back(receiver: socket.socket, sender: socket.socket) -> None:
    try:
        for chunk in chunks(receiver):
            sender.sendall(chunk)
        sender.shutdown(socket.SHUT_WR)
    except OSError:
        _cut(sender, receiver)


def _cut(*connections: socket.socket) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
