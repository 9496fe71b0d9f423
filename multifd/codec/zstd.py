"""Zstandard (PyPI ``zstandard``), with the frame parameters of ``migration/multifd-zstd.c`` (QEMU 10.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any, Final, cast

import zstandard

from multifd.codec.contract import Factory, Parameter
from multifd.errors import PayloadError, Unsupported
from multifd.framing.coder import Bytes, Compressor, DecoderCapability, Decompressor, EncoderCapability
from multifd.framing.container import Container
from multifd.result.terms import Provenance
from multifd.wire.packet import PACKET_SIZE

_CONTAINERS: Final = frozenset({Container.ZSTD})
_MAX_WINDOW: Final = 27


class _Compressor:
    def __init__(self, stream: Any) -> None:
        self.compress = stream.compress
        self._flush = stream.flush

    def sync(self) -> bytes:
        flushed: bytes = self._flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        return flushed


class _Collector:
    """Takes output chunk by chunk and stops the decoder once there is more than the pages can hold."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.room = 0

    def write(self, chunk: Bytes) -> int:
        data = bytes(chunk)
        self.room -= len(data)
        if self.room < 0:
            raise PayloadError("zstd: more output than the pages can hold")
        self.chunks.append(data)
        return len(data)


class _Decompressor:
    ended = False  # a frame may end and the next begin: libzstd goes on by itself, as QEMU lets it

    def __init__(self, name: str) -> None:
        self._name = name
        self._collector = _Collector()
        decoder = zstandard.ZstdDecompressor(max_window_size=1 << _MAX_WINDOW)
        # libzstd keeps back what does not fit its output buffer, and the writer does not ask again: one buffer
        # must hold a whole packet and a byte more.
        self._writer = decoder.stream_writer(
            cast(IO[bytes], self._collector), write_size=PACKET_SIZE + 1, closefd=False
        )

    def decompress(self, data: Bytes, size: int) -> Bytes:
        self._collector.room = size
        self._collector.chunks = []
        try:
            self._writer.write(data)
        except zstandard.ZstdError as problem:
            raise PayloadError(f"{self._name}: {problem}") from None
        chunks = self._collector.chunks
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


@dataclass(frozen=True, slots=True)
class _ZstdCodec:
    name: str
    version: str
    level: int
    encoder: EncoderCapability
    decoder: DecoderCapability
    provenance: Provenance = "software"
    device: str | None = None

    def _parameters(self, window: int) -> zstandard.ZstdCompressionParameters:
        return zstandard.ZstdCompressionParameters.from_level(
            self.level, window_log=window, write_content_size=0, write_checksum=0
        )

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        if container is not Container.ZSTD:
            raise Unsupported("container", f"{self.name} writes no container but zstd")
        return zstandard.ZstdCompressor(compression_params=self._parameters(window)).compress(data)

    def compressor(self, container: Container, window: int) -> Compressor:
        compressor = zstandard.ZstdCompressor(compression_params=self._parameters(window))
        return _Compressor(compressor.compressobj())

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        output = self.decompressor(container).decompress(data, size)
        self._check_complete(bytes(memoryview(data)))
        return output

    def _check_complete(self, frames: bytes) -> None:
        """Only a frame object tells where a frame ends; the output is known to be small by now."""
        while True:
            frame = zstandard.ZstdDecompressor(max_window_size=1 << _MAX_WINDOW).decompressobj()
            frame.decompress(frames)
            if not frame.eof:
                raise PayloadError(f"{self.name}: incomplete or truncated frame")
            frames = frame.unused_data
            if not frames:
                return

    def decompressor(self, container: Container) -> Decompressor:
        return _Decompressor(self.name)


def _make(name: str, level: int) -> _ZstdCodec:
    return _ZstdCodec(
        name=name,
        version=".".join(map(str, zstandard.ZSTD_VERSION)),
        level=level,
        encoder=EncoderCapability(
            _CONTAINERS, streaming=True, windows=frozenset(range(10, _MAX_WINDOW + 1)), reach=_MAX_WINDOW
        ),
        decoder=DecoderCapability(
            _CONTAINERS,
            streaming=True,
            window=_MAX_WINDOW,
            header_window=True,
            members=_CONTAINERS,
            checks_trailer=True,
        ),
    )


FACTORY = Factory("zstd", _make, {"level": Parameter(1, range(1, 21))})
