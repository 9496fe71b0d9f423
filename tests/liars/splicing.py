"""Peers that lie while they stand between two real ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from multifd.framing.coder import Bytes, Codec, Compressor, Decompressor, compressor_of, decompressor_of
from multifd.framing.container import Container
from multifd.peer import contract
from tests.liars.base import Liar


class FlipsInTheSplice(Liar):
    """Flips a bit of the first page of every packet that it codes anew."""

    def splice(self, request: contract.Splice) -> contract.Done:
        honest = self.codec
        self.codec = cast(Codec, _Flipping(honest))
        try:
            return super().splice(request)
        finally:
            self.codec = honest


def _flipped(data: Bytes) -> bytes:
    content = bytearray(data)
    content[1000] ^= 0x10
    return bytes(content)


@dataclass
class _FlippingCompressor:
    stream: Compressor

    def compress(self, data: Bytes, /) -> bytes:
        return self.stream.compress(_flipped(data))

    def sync(self) -> bytes:
        return self.stream.sync()


@dataclass
class _FlippingDecompressor:
    stream: Decompressor

    def decompress(self, data: Bytes, size: int, /) -> Bytes:
        return _flipped(self.stream.decompress(data, size))

    @property
    def ended(self) -> bool:
        return self.stream.ended


@dataclass
class _Flipping:
    """A codec whose streams flip a bit; the rest is that of the honest one."""

    honest: Codec

    def __getattr__(self, name: str) -> Any:
        return getattr(self.honest, name)

    def compressor(self, container: Container, window: int, /) -> Compressor:
        return _FlippingCompressor(compressor_of(self.honest, container, window))

    def decompressor(self, container: Container, /) -> Decompressor:
        return _FlippingDecompressor(decompressor_of(self.honest, container))
