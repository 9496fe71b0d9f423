"""libqatzip as a subject: ``qatzip.h`` (QATzip 2.0.0) says what to expect."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import byref, c_uint, c_uint64
from typing import Final, Self, cast

import qatzip
from qatzip.parameters import Format

from multifd.framing.container import Container
from multifd.scrutiny.memory import Region
from multifd.scrutiny.subject import Answer, Refused


class LibqatzipSession:
    """A ``QzSession_T``; Refused with ``QZ_PARAMS`` and the like."""

    def __init__(self, parameters: qatzip.Parameters) -> None:
        self._library: Final = qatzip.load()
        try:
            self._session: Final = qatzip.Session(parameters)
        except qatzip.QatzipError as problem:
            raise Refused(problem.name) from None

    def compress(self, source: Region, room: Region) -> Answer:
        """``qzCompressExt`` with ``last`` set."""
        return self._call("qzCompressExt", source, room, 1)

    def decompress(self, source: Region, room: Region) -> Answer:
        """``qzDecompressExt``."""
        return self._call("qzDecompressExt", source, room)

    def renew(self) -> None:
        """``qzTeardownSession`` to ``qzSetupSessionDeflateExt``."""
        self._session.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def _call(self, function: str, source: Region, room: Region, *last: int) -> Answer:
        consumed, produced, extended = c_uint(source.size), c_uint(room.size), c_uint64()
        code = getattr(self._library, function)(
            byref(self._session.handle), source.address, byref(consumed), room.address, byref(produced), *last,
            byref(extended),
        )  # fmt: skip
        return Answer(qatzip.QatzipError(function, code).name, produced.value, code == 0)


class Libqatzip:
    """Levels are 1 to 12 (``QZ_DEFLATE_COMP_LVL_MAXIMUM``), whatever executes them."""

    name = "qatzip"
    containers = (Container.GZIP_EXT, Container.GZIP, Container.RAW, Container.FOUR_B, Container.ZLIB)
    window = 15
    modes: Mapping[str, str] = {
        **{f"level {level}": "identical" for level in range(1, 13)},
        "level 13": "refused: QZ_PARAMS",
    }
    far = "identical"
    short = "refused: QZ_BUF_ERROR"

    def open(self, container: Container, mode: str = "") -> LibqatzipSession:
        """A session; raises Refused."""
        level = int((mode or "level 1").removeprefix("level "))
        return LibqatzipSession(qatzip.Parameters(format=cast(Format, container.value), level=level))
