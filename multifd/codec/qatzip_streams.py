"""Streams of libqatzip (2.0.0), a call for each packet.

**Reading** is ``qzDecompressStream``. It collects ``strm_buff_sz`` bytes before it works, unless it is told that they
are the last. So each packet is "the last": the session goes on where it was all the same, as long as its stream has no
end (``inflate_stat``, ``src/qatzip_sw.c``, QATzip 1.3.1).

**Writing** is ``qzCompress`` with ``last`` 0, which ends every call with a full flush and no final block, in software
(``qzDeflateSWCompress``) as on the device (``CPA_DC_FLUSH_FULL``), there for raw only: every other format has a header
and a trailer around each request. So the stream is raw, and the header that its reader expects is put before it.
``qzCompressStream`` would not do: it keeps what does not fill ``strm_buff_sz``, and has no flush.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from multifd.errors import PayloadError, Unsupported
from multifd.framing.coder import Bytes
from multifd.framing.container import Container, zlib_header

_Count: TypeAlias = Callable[[Any], None]
"""Takes down what the last call of a session did where."""

_WINDOW_BITS: Final = 15
_GZIP_HEADER: Final = bytes.fromhex("1f8b08000000000000ff")


class Decompressor:
    """A stream being read: a session and a stream for one channel.

    The session is asked for the end after every packet, for the stream itself does not tell.
    """

    def __init__(self, name: str, session: Any, stream: Any, error: type[Any], count: _Count) -> None:
        self.ended = False
        self._count = count
        self._name = name
        self._session = session
        self._stream = stream
        self._error = error

    def decompress(self, data: Bytes, size: int) -> Bytes:
        """The output of a packet, at most ``size`` bytes; raises PayloadError."""
        output = bytearray(size + 1)
        try:
            consumed, produced = self._stream.decompress_into(data, output, True)
        except self._error as problem:
            raise PayloadError(f"{self._name}: qzDecompressStream failed: {problem.name}") from None
        self._count(self._session)
        if produced > size:
            left = len(data) - consumed + self._stream.pending_in
            raise PayloadError(
                f"{self._name}: qzDecompressStream failed: more than the expected {size} bytes,"
                f" {left} bytes of input left"
            )
        self.ended = bool(self._session.stream_ended)
        del output[produced:]
        return output

    def __del__(self) -> None:
        self._stream.close()


class Compressor:
    """A stream being written by a session of its own, in raw."""

    def __init__(self, name: str, session: Any, container: Container, error: type[Any], count: _Count) -> None:
        self._name = name
        self._count = count
        self._session = session
        self._error = error
        self._header = header(container)

    def compress(self, data: Bytes) -> bytes:
        """All of a packet, flushed; raises PayloadError."""
        output = bytearray(self._session.max_compressed_length(len(data)))
        try:
            _, produced = self._session.compress_into(data, output, False)
        except self._error as problem:
            raise PayloadError(f"{self._name}: qzCompress failed: {problem.name}") from None
        self._count(self._session)
        begin, self._header = self._header, b""
        return begin + bytes(memoryview(output)[:produced])

    def sync(self) -> bytes:
        """Nothing is left to flush."""
        return b""


def header(container: Container) -> bytes:
    """What stands before the raw stream; raises :class:`Unsupported` for 4B, whose header has the whole length."""
    match container:
        case Container.RAW:
            return b""
        case Container.ZLIB:
            return zlib_header(_WINDOW_BITS)
        case Container.GZIP | Container.GZIP_EXT:
            return _GZIP_HEADER
        case _:
            raise Unsupported("streaming", f"container {container} has no streams that can be flushed")
