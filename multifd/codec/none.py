"""No compression: pages travel as they are, so there is nothing to call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from multifd.codec.contract import Factory
from multifd.errors import HarnessError
from multifd.framing.coder import Bytes, DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.result.terms import Provenance

_CONTAINERS: Final = frozenset({Container.NONE})


def _never(*_: object) -> NoReturn:
    raise HarnessError("pages of container none are moved, not coded")


_ENCODER: Final = EncoderCapability(_CONTAINERS, streaming=False, windows=frozenset(), shrinks=False)
_DECODER: Final = DecoderCapability(
    _CONTAINERS, streaming=False, window=0, header_window=False, members=frozenset(), checks_trailer=False
)


@dataclass(frozen=True, slots=True)
class _NoneCodec:
    name: str
    version: str = "1"
    encoder: EncoderCapability = _ENCODER
    decoder: DecoderCapability = _DECODER
    provenance: Provenance = "software"
    device: str | None = None

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        _never(data, container, window)

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        _never(data, container, size)


FACTORY = Factory("none", _NoneCodec)
