"""libqpl itself, through qpl-py (``packages/qpl-py``): the accelerator, or the library's own software path.

What libqpl 1.9.0 does and this codec makes visible or keeps away from its users:

* truncated input is ``QPL_STS_OK`` with short output, as is an error after the first 64 KiB: a length that is not the
  one expected is an error here, as it is to QEMU ("qpl decompressed len %u, expected len %u");
* hence a stream that has no end is none in software, as long as all of its output has come; silicon wants the end;
* the Adler-32 of a second stream in zlib mode continues that of the first: the job is made new before each;
* after an error the job is made new.

A job belongs to one thread, so every channel has its own. ``path`` 0 is ``auto``, which may compute in software
without saying so, and therefore counts as software until counters prove otherwise.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, Final

from multifd.codec.binding import binding
from multifd.codec.contract import Factory, Parameter
from multifd.codec.qpl_container import DECODER, ENCODER
from multifd.errors import EnvironmentBroke, PayloadError
from multifd.framing.coder import Bytes
from multifd.framing.container import Container
from multifd.result.record import Provenance

_PATHS: Final = ("auto", "hardware", "software")
_HUFFMAN: Final = ("fixed", "dynamic")
_FORMATS: Final = {Container.RAW: "raw", Container.ZLIB: "zlib", Container.GZIP: "gzip", Container.GZIP_EXT: "gzip"}
_MEANINGS: Final = {217: "distance beyond the history of 4096 bytes", 218: "distance before the start"}
"""What ``status.h`` (qpl 1.9.0) says more of a status than its name does."""


class _QplCodec:
    def __init__(self, name: str, level: int, path: int, huffman: int) -> None:
        self.name = name
        self._qpl = binding("qpl")
        self.version: str = self._qpl.version()
        self.provenance: Provenance = "hardware" if _PATHS[path] == "hardware" else "vendor-software"
        self.device = "IAA"
        self.encoder = ENCODER
        self.decoder = replace(DECODER, needs_end=_PATHS[path] == "hardware")
        self._level = level
        self._path = _PATHS[path]
        self._huffman = _HUFFMAN[huffman]
        self._threads = threading.local()
        self._job()

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        job = self._job()
        if container is Container.ZLIB:
            job.reset()
        output = bytearray(self._qpl.compress_bound(len(data)))
        try:
            size = job.compress_into(data, output, format=_FORMATS[container], level=self._level, huffman=self._huffman)
        except self._qpl.Error as problem:
            raise self._failed(problem) from None
        del output[size:]
        return output

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        output = bytearray(size)
        try:
            produced = self._job().decompress_into(data, output, format=_FORMATS[container])
        except self._qpl.Error as problem:
            raise self._failed(problem) from None
        if produced != size:
            raise PayloadError(
                f"{self.name}: qpl decompressed len {produced}, expected len {size}"
                " (QPL_STS_OK with short output: incomplete or truncated stream)"
            )
        return output

    def _job(self) -> Any:
        job = getattr(self._threads, "job", None)
        if job is None:
            try:
                job = self._threads.job = self._qpl.Job(self._path)
            except self._qpl.Error as problem:
                raise EnvironmentBroke(f"{self.name}: {problem}") from None
        return job

    def _failed(self, problem: Exception) -> PayloadError:
        self._job().reset()
        status = getattr(problem, "status", None)
        if status is None:
            return PayloadError(f"{self.name}: qpl job failed: {problem}")
        meaning = f": {_MEANINGS[status]}" if status in _MEANINGS else ""
        return PayloadError(
            f"{self.name}: qpl job failed with error {status} ({getattr(problem, 'name', '')}){meaning}"
        )


FACTORY = Factory(
    "qpl",
    _QplCodec,
    {
        "level": Parameter(1, range(1, 4, 2)),
        "path": Parameter(2, range(3)),
        "huffman": Parameter(0, range(2)),
    },
)
