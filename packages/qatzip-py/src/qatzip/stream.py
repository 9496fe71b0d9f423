"""The streaming API: ``qzCompressStream``, ``qzDecompressStream``, ``qzEndStream``.

A stream collects ``strm_buff_sz`` bytes before it works, and keeps output that does not fit the destination. The
library copies both ways through buffers of its own, so no private ones are needed here.

libqatzip 2.0.0 streams compress ``gzip-ext`` and ``raw`` only (``QZ_PARAMS`` for the rest) and decompress every format.
It loses the end of a stream if ``last`` is first set while output is pending: the call hands the pending bytes over,
reports success, and never writes the final block. :meth:`Stream.compress` therefore drains before it says ``last``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ctypes import byref
from itertools import chain
from types import TracebackType
from typing import Any, Literal

from qatzip.abi import StreamHandle
from qatzip.errors import QatzipError
from qatzip.library import load
from qatzip.memory import pinned
from qatzip.session import Session

_Call = Literal["qzCompressStream", "qzDecompressStream"]


class Stream:
    """One stream in one direction over a session of the caller's; a context manager.

    The session must outlive it and do nothing else meanwhile.
    """

    def __init__(self, session: Session) -> None:
        self._library = load()
        self._session = session
        self._handle = StreamHandle()

    @property
    def pending_in(self) -> int:
        """Bytes of input that the stream holds and has not worked on."""
        return int(self._handle.pending_in)

    @property
    def pending_out(self) -> int:
        """Bytes of output that the stream holds and has not handed over."""
        return int(self._handle.pending_out)

    @property
    def crc32(self) -> int:
        """The checksum that the library keeps of what was compressed.

        Wrong in libqatzip 2.0.0 for gzip-ext once more than ``strm_buff_sz`` bytes went through.
        """
        return int(self._handle.crc_32)

    def compress_into(self, src: Any, dst: Any, last: bool) -> tuple[int, int]:
        """One call of ``qzCompressStream``; bytes consumed and produced. Raises :class:`QatzipError`."""
        return self._step("qzCompressStream", src, dst, last)

    def decompress_into(self, src: Any, dst: Any, last: bool) -> tuple[int, int]:
        """One call of ``qzDecompressStream``; bytes consumed and produced. Raises :class:`QatzipError`."""
        return self._step("qzDecompressStream", src, dst, last)

    def compress(self, pieces: Iterable[Any], chunk: int = 64 * 1024) -> Iterator[bytes]:
        """Compress the pieces as one stream; output in parts of at most ``chunk`` bytes.

        Raises :class:`QatzipError`.
        """
        return self._run("qzCompressStream", pieces, chunk)

    def decompress(self, pieces: Iterable[Any], chunk: int = 64 * 1024) -> Iterator[bytes]:
        """Decompress the pieces of one stream; output in parts of at most ``chunk`` bytes.

        Raises :class:`QatzipError`. A stream that ends too early is not noticed by the library.
        """
        return self._run("qzDecompressStream", pieces, chunk)

    def _run(self, call: _Call, pieces: Iterable[Any], chunk: int) -> Iterator[bytes]:
        for piece, last in chain(((piece, False) for piece in pieces), [(b"", True)]):
            rest = memoryview(piece).cast("B")
            while True:
                room = bytearray(chunk)
                consumed, produced = self._step(call, rest, room, last)
                rest = rest[consumed:]
                if produced:
                    yield bytes(memoryview(room)[:produced])
                if not rest and not self.pending_out and not (last and self.pending_in):
                    break

    def _step(self, call: _Call, src: Any, dst: Any, last: bool) -> tuple[int, int]:
        stream = self._handle
        with pinned(src) as (source, available), pinned(dst, writable=True) as (destination, room):
            stream.in_, stream.in_sz = source, available
            stream.out, stream.out_sz = destination, room
            code = getattr(self._library, call)(byref(self._session.begin_call()), byref(stream), int(last))
        # A call that only collects is nobody's work yet.
        self._session.end_call(int(stream.in_sz) if stream.out_sz else 0)
        if code < 0:
            raise QatzipError(call, code, consumed=stream.in_sz, produced=stream.out_sz)
        return int(stream.in_sz), int(stream.out_sz)

    def close(self) -> None:
        """Give the stream's buffers back to the library; pending bytes are lost."""
        self._library.qzEndStream(byref(self._session.handle), byref(self._handle))

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
