"""A library that does everything right, made of zlib, and how it can be made to do one thing wrong."""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Mapping
from typing import Final, Self

from multifd.framing.container import Container, wrap
from multifd.scrutiny.memory import Region
from multifd.scrutiny.subject import Answer, Refused

_WBITS: Final = {Container.RAW: -15, Container.ZLIB: 15, Container.GZIP: 31, Container.GZIP_EXT: 31}
SHORT: Final = Answer("TOO SHORT", 0, False)
DAMAGED: Final = Answer("DAMAGED", 0, False)


class HonestSession:
    """Refuses what is damaged or does not fit, and touches nothing but what it was given."""

    def __init__(self, container: Container, level: int) -> None:
        self.container = container
        self.level = level

    def compress(self, source: Region, room: Region) -> Answer:
        return self.hand_over(self.packed(source.read(source.size)), room)

    def decompress(self, source: Region, room: Region) -> Answer:
        data, raw = ctypes.string_at(source.address, source.size), self.container is Container.FOUR_B
        if raw and int.from_bytes(data[:4], "little") != len(data) - 4:
            return DAMAGED
        engine = zlib.decompressobj(_WBITS[Container.RAW if raw else self.container])
        try:
            content = engine.decompress(data[4:] if raw else data)
        except zlib.error:
            return DAMAGED
        return self.hand_over(content, room) if engine.eof else DAMAGED

    def packed(self, content: bytes) -> bytes:
        if self.container in (Container.FOUR_B, Container.GZIP_EXT):
            return wrap(self.engine(content, -15), content, self.container)
        return self.engine(content, _WBITS[self.container])

    def engine(self, content: bytes, wbits: int) -> bytes:
        return zlib.compress(content, self.level, wbits)

    def hand_over(self, data: bytes, room: Region) -> Answer:
        if len(data) > room.size:
            return SHORT
        ctypes.memmove(room.address, data, len(data))
        return Answer("FINE", len(data), True)

    def renew(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Honest:
    """The library; ``session`` is what it opens."""

    name = "honest"
    window = 15
    far = "identical"
    short = "refused: TOO SHORT"

    def __init__(
        self, session: type[HonestSession] = HonestSession, containers: tuple[Container, ...] = (Container.GZIP,)
    ) -> None:
        self.containers = containers
        self.session = session
        self.modes: Mapping[str, str] = {
            "level 1": "identical",
            "level 9": "identical",
            "level 10": "refused: NO SUCH LEVEL",
        }

    def open(self, container: Container, mode: str = "") -> HonestSession:
        level = int((mode or "level 1").removeprefix("level "))
        if level > 9:
            raise Refused("NO SUCH LEVEL")
        return self.session(container, level)
