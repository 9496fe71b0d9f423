"""No compression: pages travel as they are, so there is nothing to call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from typing_extensions import Buffer

from multifd.codec.contract import Factory
from multifd.framing.coder import Compressor, DecoderCapability, Decompressor, EncoderCapability
from multifd.errors import HarnessError
from multifd.framing.container import Container

_CONTAINERS: Final = frozenset({Container.NONE})


def _never(*_: object) -> NoReturn:
    raise HarnessError("pages of container none are moved, not coded")


@dataclass(frozen=True, slots=True)
class _NoneCodec:
    name: str
    version: str = "1"
    encoder: EncoderCapability = EncoderCapability(_CONTAINERS, streaming=True, windows=frozenset())
    decoder: DecoderCapability = DecoderCapability(
        _CONTAINERS, streaming=True, window=0, header_window=False, members="all", checks_trailer=False
    )

    def compress(self, data: Buffer, container: Container, window: int) -> Buffer:
        _never(data, container, window)

    def compressor(self, container: Container, window: int) -> Compressor:
        _never(container, window)

    def decompress(self, data: Buffer, container: Container, size: int) -> Buffer:
        _never(data, container, size)

    def decompressor(self, container: Container) -> Decompressor:
        _never(container)


FACTORY = Factory("none", _NoneCodec)
