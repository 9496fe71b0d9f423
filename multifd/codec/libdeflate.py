"""libdeflate (PyPI ``deflate``): whole buffers only, no streams, no window parameter.

Of several gzip members it decodes the first; bytes behind a stream go unnoticed, for the binding does not say how
much it consumed. Its matches reach 32767 bytes (measured; zlib and zlib-ng stop 262 below their window, ISA-L
uses all of it). Level 0 only stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import repeat
from typing import Final

import deflate

from multifd.codec.contract import Factory, Parameter
from multifd.codec.zlib_api import CONTAINERS
from multifd.errors import PayloadError
from multifd.framing.coder import Bytes, DecoderCapability, EncoderCapability
from multifd.framing.container import Container, unwrap_four_b, wrap
from multifd.result.terms import Provenance

_COMPRESS: Final = {Container.ZLIB: deflate.zlib_compress, Container.GZIP: deflate.gzip_compress}
_WRAPPED: Final = frozenset({Container.GZIP_EXT, Container.FOUR_B})
_DECOMPRESS: Final = {
    Container.ZLIB: deflate.zlib_decompress,
    Container.GZIP: deflate.gzip_decompress,
    Container.GZIP_EXT: deflate.gzip_decompress,
}


@dataclass(frozen=True, slots=True)
class _LibdeflateCodec:
    name: str
    version: str
    level: int
    encoder: EncoderCapability
    decoder: DecoderCapability
    provenance: Provenance = "software"
    device: str | None = None

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        compressed: bytearray = _COMPRESS.get(container, deflate.deflate_compress)(data, self.level)
        return wrap(compressed, data, container) if container in _WRAPPED else compressed

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        return next(self.decompress_batch((data,), container, size))

    def decompress_batch(self, streams: Iterable[Bytes], container: Container, size: int) -> Iterator[Bytes]:
        if container is Container.FOUR_B:
            streams = map(unwrap_four_b, streams)
        try:
            yield from map(_DECOMPRESS.get(container, deflate.deflate_decompress), streams, repeat(size))
        except deflate.DeflateError as problem:
            raise PayloadError(f"{self.name}: {problem}") from None


def _make(name: str, level: int) -> _LibdeflateCodec:
    return _LibdeflateCodec(
        name=name,
        version=version("deflate"),
        level=level,
        encoder=EncoderCapability(CONTAINERS, streaming=False, windows=frozenset({15}), shrinks=level > 0),
        decoder=DecoderCapability(
            CONTAINERS,
            streaming=False,
            window=15,
            header_window=True,
            members=frozenset(),
            checks_trailer=True,
            checks_end=False,
        ),
    )


FACTORY = Factory("libdeflate", _make, {"level": Parameter(1, range(13))})
