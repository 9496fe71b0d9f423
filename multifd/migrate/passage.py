"""One direction of a connection that a tap stands in: what comes is forwarded first, and only then looked at."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from multifd.migrate.crew import cut

CHUNK: Final = 1 << 18
"""Bytes that are read at once."""
_RESTS: Final = 64
"""Reads: a source that goes on speaking is not listened to for ever."""
_PIPE: Final = 1 << 20
"""Bytes that a pipe is asked to hold; the host may give fewer."""


class Passage:
    """What ``source`` says goes to ``target``, None for nobody; raises OSError where one of them is gone."""

    def __init__(self, source: socket.socket, target: socket.socket | None, chunk: int = CHUNK) -> None:
        self._source = source
        self._target = target
        self._buffer = memoryview(bytearray(chunk))
        self._pipe: tuple[int, int] | None = None
        self._gone: OSError | None = None
        self._inside = False
        """Bytes are on their way that nobody has counted."""

    def copy(self, most: int = CHUNK) -> memoryview:
        """Forward at most so many bytes, more than 0; returns them, until the next call, and none at the end.

        That the target is gone is raised with the next call, so that what came last has been seen.
        """
        if self._gone is not None:
            raise self._gone
        size = self._source.recv_into(self._buffer[:most])
        data = self._buffer[:size]
        if size and self._target is not None:
            try:
                self._target.sendall(data)
            except OSError as gone:
                self._gone = gone
        return data

    def rest(self) -> Iterator[memoryview]:
        """What the source has said already, for nobody; the last is empty if that was all of it.

        Nothing where something before it was lost.
        """
        with suppress(OSError):
            for _ in range(0 if self._inside else _RESTS):
                size = self._source.recv_into(self._buffer, 0, socket.MSG_DONTWAIT)
                yield self._buffer[:size]
                if not size:
                    return

    def splice(self, most: int) -> int:
        """The same by splice(2), which copies nothing to us; returns how many there were."""
        assert self._target is not None
        if self._pipe is None:
            self._pipe = os.pipe()
            with suppress(OSError):
                fcntl.fcntl(self._pipe[1], fcntl.F_SETPIPE_SZ, _PIPE)
        out, into = self._pipe
        left = size = os.splice(self._source.fileno(), into, most)
        self._inside = True
        while left:
            left -= os.splice(out, self._target.fileno(), left)
        self._inside = False
        return size

    def answer(self, data: bytes) -> None:
        """Say this to the source."""
        self._source.sendall(data)

    def finish(self) -> None:
        """The source has ended; it may still be answered."""
        if self._target is not None:
            self._target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """End both."""
        cut(self._source, self._target)

    def close(self) -> None:
        """Nothing more will be forwarded."""
        for end in self._pipe or ():
            os.close(end)
        self._pipe = None
