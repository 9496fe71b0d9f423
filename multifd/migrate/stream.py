"""Byte streams: sockets and files behind two small interfaces. Knows no protocol."""

from __future__ import annotations

import mmap
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Protocol

from typing_extensions import Buffer

from multifd.errors import EnvironmentBroke, InputError
from multifd.memory.sparse import extents, merged

_IOV_MAX = 512
_READ_AHEAD = 4096
"""Bytes; a packet's header has at most 1344 (multifd.wire.packet)."""
_SEND_BUFFER = 1 << 20
"""Bytes asked for, the host may give fewer: a packet's payload fits, so that a sender compresses the next one while
the receiver still reads, and has not to wait for the receiver's turn on the CPU."""
_RECEIVE_BUFFER: Final = 1 << 20
"""Bytes; the largest payload fits (multifd.wire.channel). What is larger gets a buffer of its own size."""
_CHUNK: Final = 1 << 18
_SECTOR: Final = 512
"""Bytes of a block of ``st_blocks`` (stat(3type))."""


class Sink(Protocol):
    """Where a channel's bytes go."""

    written: int

    def write(self, buffers: Sequence[Buffer]) -> None:
        """Write all buffers, in order."""
        ...

    def close(self) -> None:
        """No more bytes will come."""
        ...


class Source(Protocol):
    """Where a channel's bytes come from."""

    def read(self, size: int) -> memoryview:
        """``size`` bytes, fewer only at the end of the stream; valid until the next read."""
        ...


def _advance(views: list[memoryview], done: int) -> list[memoryview]:
    for at, view in enumerate(views):
        if done < len(view):
            return [view[done:], *views[at + 1 :]]
        done -= len(view)
    return []


def _views(buffers: Sequence[Buffer]) -> list[memoryview]:
    return [memoryview(buffer).cast("B") for buffer in buffers]


class SocketSink:
    """A connected, blocking socket to write to."""

    def __init__(self, connection: socket.socket) -> None:
        self.written = 0
        self._connection = connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)

    def write(self, buffers: Sequence[Buffer]) -> None:
        views = _views(buffers)
        while views:
            done = self._connection.sendmsg(views[:_IOV_MAX])
            self.written += done
            views = _advance(views, done)

    def finish(self) -> None:
        """Let the other side see the end of the stream; it may still answer, or be gone."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._connection.close()


class SocketSource:
    """A connected, blocking socket to read from.

    A small read takes along what else has come, so that a packet's prefix and header cost one call; a large one
    takes no more than it was asked for, so that little is ever moved within the buffer.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        # A mapping costs only what is touched of it, so that it can be large without being filled with zeros first.
        self._buffer = memoryview(mmap.mmap(-1, _RECEIVE_BUFFER))
        self._ahead = self._buffer[:0]

    def read(self, size: int) -> memoryview:
        if size > len(self._ahead):
            self._fetch(size)
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def _fetch(self, size: int) -> None:
        """Have ``size`` bytes ahead, fewer only at the end of the stream."""
        have, wanted = len(self._ahead), max(size, _READ_AHEAD)
        buffer = self._buffer if wanted <= len(self._buffer) else memoryview(bytearray(wanted))
        buffer[:have] = self._ahead
        flags = socket.MSG_WAITALL if wanted == size else 0
        while have < size:
            done = self._connection.recv_into(buffer[have:wanted], 0, flags)
            if not done:
                break
            have += done
        self._buffer, self._ahead = buffer, buffer[:have]


def chunks(connection: socket.socket) -> Iterator[memoryview]:
    """Whatever comes on a blocking connection until its end; each is valid until the next."""
    buffer = memoryview(bytearray(_CHUNK))
    while size := connection.recv_into(buffer):
        yield buffer[:size]


class FileSink:
    """A new file to write to."""

    def __init__(self, path: Path) -> None:
        self.written = 0
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as problem:
            raise EnvironmentBroke(f"{path}: cannot create: {problem.strerror}") from None

    def write(self, buffers: Sequence[Buffer]) -> None:
        views = _views(buffers)
        try:
            while views:
                done = os.writev(self._descriptor, views[:_IOV_MAX])
                self.written += done
                views = _advance(views, done)
        except OSError as problem:
            raise EnvironmentBroke(f"{self._path}: cannot write: {problem.strerror}") from None

    def close(self) -> None:
        os.close(self._descriptor)


def _copied(file: IO[bytes], size: int) -> mmap.mmap | bytes:
    """The content of a file in memory of our own: tmpfs would need room for a hole that is looked at."""
    if not size:
        return b""
    copy = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for start, stop in merged(extents(file.fileno(), size), 1):
        copy[start:stop] = os.pread(file.fileno(), stop - start, start)
    return copy


class FileSource:
    """A whole file; reads are slices of its mapping, so nothing is copied, unless it has holes, which cost nothing."""

    def __init__(self, path: Path) -> None:
        try:
            # What is no file, such as a pipe that nobody writes, is not waited for.
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123  (a descriptor)
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode):
                    raise InputError(f"{path}: is no file, expected one")
                size = about.st_size
                whole = about.st_blocks * _SECTOR >= size
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if whole and size else _copied(file, size)
        except OSError as problem:
            raise InputError(f"{path}: cannot read: {problem.strerror}") from None
        self._view = memoryview(mapped)
        self._at = 0

    def read(self, size: int) -> memoryview:
        part = self._view[self._at : self._at + size]
        self._at += len(part)
        return part

    @property
    def left(self) -> int:
        """Bytes that have not been read."""
        return len(self._view) - self._at
