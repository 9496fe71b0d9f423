"""Streams over jobs of libqpl that go on: FIRST on the first only, LAST on none, state in the job (1.9.0).

**Reading** works: the output of each packet is whole, from the software path as it is, from the silicon with
``QPL_FLAG_DECOMP_FLUSH_ALWAYS``, without which it may keep the last bytes in its AECS
(``sources/c_api/legacy_hw_path/qpl_hw_inflate_job.cpp``, qpl 1.6.0). Where a stream ends the library does not tell: it
takes what follows for a further block. So the end is looked for before it is asked (:func:`.flushed.is_flushed`).

**Writing** does not: there is no flush. What a job without LAST keeps back comes with the next, so that a receiver is
short of the end of every packet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from multifd.codec.flushed import is_flushed
from multifd.framing.coder import Bytes

Options: TypeAlias = dict[str, Any]
"""Of a job, by the names that qpl-py has for them."""
Read: TypeAlias = Callable[[Any, Bytes, int, Options], Bytes]
"""Runs a job on a packet, for so many bytes of output; raises PayloadError."""
Write: TypeAlias = Callable[[Any, Bytes, Options, int], Bytes]
"""Runs a job on a packet, with so many bytes of room more than it needs for itself; raises PayloadError."""

_KEPT: Final = 128 << 10
"""Bytes, more than a job gives of what earlier ones kept back."""


class _Stream:
    """One job for one direction of one channel."""

    def __init__(self, job: Any, options: Options) -> None:
        self._job = job
        self._options = options
        self._first = True

    def _next(self) -> Options:
        position = {"first": self._first, "last": False}
        self._first = False
        return self._options | position


class Decompressor(_Stream):
    """A stream being read."""

    def __init__(self, job: Any, read: Read, options: Options) -> None:
        super().__init__(job, options)
        self.ended = False
        self._read = read

    def decompress(self, data: Bytes, size: int) -> Bytes:
        """The whole output of a packet, ``size`` bytes, unless the stream ends with it; raises PayloadError."""
        if not is_flushed(data):
            self.ended = True
            return b""
        return self._read(self._job, data, size, self._next())


class Compressor(_Stream):
    """A stream being written, which cannot be flushed."""

    def __init__(self, job: Any, write: Write, options: Options) -> None:
        super().__init__(job, options)
        self._write = write

    def compress(self, data: Bytes) -> bytes:
        """What the library gives of a packet; raises PayloadError."""
        return bytes(self._write(self._job, data, self._next(), _KEPT))

    def sync(self) -> bytes:
        """Nothing: the library has no call for it."""
        return b""
