"""The part that zlib, zlib-ng and ISA-L share: they speak the interface of Python's ``zlib`` module.

Container and window are chosen by ``wbits``: 9 to 15 zlib, negative raw, plus 16 gzip (zlib.h,
zlib 1.3, ``deflateInit2``). gzip-ext is gzip with an extra field (RFC 1952, section 2.3.1), so a gzip decoder reads it;
nobody but QATzip writes it and 4B, so here they are put around a raw stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from multifd.errors import PayloadError, Unsupported
from multifd.framing.coder import Bytes, Compressor, DecoderCapability, Decompressor, EncoderCapability
from multifd.framing.container import Container, unwrap_four_b, wrap
from multifd.result.terms import Provenance

CONTAINERS: Final = frozenset({Container.RAW, Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B})
_MAX_WINDOW: Final = 15
_WRAPPED: Final = frozenset({Container.GZIP_EXT, Container.FOUR_B})
MEMBERED: Final = frozenset({Container.GZIP, Container.GZIP_EXT})
"""Containers whose payload may hold several members."""


def wbits(container: Container, window: int) -> int:
    """zlib's ``wbits`` for a container and window bits; gzip-ext and 4B are raw inside."""
    match container:
        case Container.ZLIB:
            return window
        case Container.GZIP:
            return 16 + window
        case _:
            return -window


class _Compressor:
    def __init__(self, stream: Any, sync_flush: int) -> None:
        self.compress = stream.compress
        self._flush = stream.flush
        self._sync_flush = sync_flush

    def sync(self) -> bytes:
        flushed: bytes = self._flush(self._sync_flush)
        return flushed


class _Decompressor:
    def __init__(self, name: str, stream: Any, error: type[Exception]) -> None:
        self._name = name
        self._stream = stream
        self._error = error

    def decompress(self, data: Bytes, size: int) -> Bytes:
        try:
            output: bytes = self._stream.decompress(data, size + 1)
        except self._error as problem:
            raise PayloadError(f"{self._name}: {problem}") from None
        return output

    @property
    def ended(self) -> bool:
        return bool(self._stream.eof)


@dataclass(frozen=True, slots=True)
class ZlibApiCodec:
    """A codec over a module with zlib's interface."""

    name: str
    version: str
    module: Any
    level: int
    window: int
    encoder: EncoderCapability
    decoder: DecoderCapability
    provenance: Provenance = "software"
    device: str | None = None

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        compressed: bytes = self.module.compress(data, self.level, self._wbits(container, window))
        return wrap(compressed, data, container) if container in _WRAPPED else compressed

    def compress_batch(self, inputs: Iterable[Bytes], container: Container, window: int) -> Iterator[Bytes]:
        if container in _WRAPPED:
            return map(self.compress, inputs, repeat(container), repeat(window))
        return map(self.module.compress, inputs, repeat(self.level), repeat(self._wbits(container, window)))

    def compressor(self, container: Container, window: int) -> Compressor:
        stream = self.module.compressobj(level=self.level, wbits=self._wbits(container, window))
        return _Compressor(stream, self.module.Z_SYNC_FLUSH)

    def decompressor(self, container: Container) -> Decompressor:
        return _Decompressor(self.name, self._stream(container), self.module.error)

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        if container is Container.FOUR_B:
            data = unwrap_four_b(data)
        output, rest = self._member(data, container, size)
        if not rest:
            return output
        if container not in MEMBERED:
            raise PayloadError(f"{self.name}: {len(rest)} bytes after the end of the stream")
        whole = bytearray(output)
        while rest:
            more, rest = self._member(rest, container, size - len(whole))
            whole += more
        return whole

    def _member(self, data: Bytes, container: Container, size: int) -> tuple[bytes, bytes]:
        stream = self._stream(container)
        try:
            output: bytes = stream.decompress(data, size + 1)
        except self.module.error as problem:
            raise PayloadError(f"{self.name}: {problem}") from None
        if len(output) > size:
            raise PayloadError(f"{self.name}: more than the expected {size} bytes")
        if not stream.eof:
            raise PayloadError(f"{self.name}: incomplete or truncated stream")
        return output, stream.unused_data

    def _wbits(self, container: Container, window: int) -> int:
        """Of an encoder, whose window is limited too."""
        return wbits(container, min(window, self.window))

    def _stream(self, container: Container) -> Any:
        if self.window < _MAX_WINDOW and container is not Container.ZLIB:
            raise Unsupported("window", f"{self.name} cannot limit what has no zlib header")
        inside = Container.GZIP if container is Container.GZIP_EXT else container
        return self.module.decompressobj(wbits(inside, self.window))
