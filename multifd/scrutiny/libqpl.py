"""libqpl as a subject, on its software path: ``job.h`` and ``status.h`` (qpl 1.9.0) say what to expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

from qpl.errors import QplError
from qpl.header import Flag, Operation, Path
from qpl.library import load
from qpl.native import NativeJob

from multifd.framing.container import Container
from multifd.scrutiny.memory import Region
from multifd.scrutiny.subject import Answer

_CONTAINERS: Final = {Container.RAW: Flag(0), Container.GZIP: Flag.GZIP_MODE, Container.ZLIB: Flag.ZLIB_MODE}
_WHOLE: Final = Flag.FIRST | Flag.LAST
_MODES: Final = {
    "fixed, level 1": (1, Flag(0)),
    "dynamic, level 1": (1, Flag.DYNAMIC_HUFFMAN),
    "fixed, level 3": (3, Flag(0)),
    "dynamic, level 3": (3, Flag.DYNAMIC_HUFFMAN),
    "level 2": (2, Flag(0)),
    "level 4": (4, Flag(0)),
}


class LibqplJob:
    """A ``qpl_job``, as QEMU uses it: a whole page in, FIRST and LAST set, no verification."""

    def __init__(self, container: Flag, level: int, encoder: Flag) -> None:
        self._container: Final = container
        self._level: Final = level
        self._encoder: Final = encoder
        self._job: Final = NativeJob(load(), Path.SOFTWARE)

    def compress(self, source: Region, room: Region) -> Answer:
        """``qpl_op_compress``."""
        flags = _WHOLE | self._container | self._encoder | Flag.OMIT_VERIFY
        return self._call(Operation.COMPRESS, source, room, flags)

    def decompress(self, source: Region, room: Region) -> Answer:
        """``qpl_op_decompress``."""
        return self._call(Operation.DECOMPRESS, source, room, _WHOLE | self._container)

    def renew(self) -> None:
        """``qpl_fini_job`` and ``qpl_init_job``."""
        self._job.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._job.call("qpl_fini_job")

    def _call(self, operation: Operation, source: Region, room: Region, flags: Flag) -> Answer:
        fields = self._job.fields
        fields.next_in_ptr, fields.available_in = source.address, source.size
        fields.next_out_ptr, fields.available_out = room.address, room.size
        fields.op, fields.level, fields.flags = operation, self._level, flags
        status = self._job.call("qpl_execute_job")
        return Answer(QplError(status, "qpl_execute_job").name, fields.total_out, status == 0)


class Libqpl:
    """Levels are 1 and 3 (``qpl_compression_levels``); the window is 4096 bytes."""

    name = "qpl"
    containers = tuple(_CONTAINERS)
    window = 12
    modes: Mapping[str, str] = {
        name: "identical" if level in (1, 3) else "refused: QPL_STS_UNSUPPORTED_COMPRESSION_LEVEL"
        for name, (level, _) in _MODES.items()
    }
    far = "refused: QPL_STS_BAD_DIST_ERR"
    short = "refused: QPL_STS_MORE_OUTPUT_NEEDED"

    def open(self, container: Container, mode: str = "") -> LibqplJob:
        """A job."""
        level, encoder = _MODES[mode or "fixed, level 1"]
        return LibqplJob(_CONTAINERS[container], level, encoder)
