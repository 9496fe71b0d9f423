"""libqpl itself, through qpl-py (``packages/qpl-py``): the accelerator, or the library's own software path.

What libqpl 1.9.0 does and this codec makes visible or keeps away from its users:

* truncated input is ``QPL_STS_OK`` with short output, as is an error after the first 64 KiB: a length that is not the
  one expected is an error here, as it is to QEMU ("qpl decompressed len %u, expected len %u");
* hence a stream that has no end is none in software, as long as all of its output has come; silicon wants the end;
* the Adler-32 of a second stream in zlib mode continues that of the first: the job is made new before each;
* after an error the job is made new.

A job belongs to one thread, so every channel has its own. ``path`` 0 is ``auto``, which may compute in software
without saying so, and therefore counts as software until counters prove otherwise. With ``stream`` a channel's packets
are one stream (:mod:`.qpl_streams`), with ``jobs`` several pages are submitted before the first is waited for, as QEMU
does on hardware (migration/multifd-qpl.c, QEMU 10.2); the software path computes them as they are submitted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from multifd.codec.binding import binding
from multifd.codec.contract import Factory, Parameter
from multifd.codec.qpl_container import DECODER, ENCODER
from multifd.codec.qpl_streams import Compressor, Decompressor, Options
from multifd.errors import EnvironmentBroke, PayloadError
from multifd.framing.coder import Bytes, Routing
from multifd.framing.container import Container
from multifd.result.record import Provenance

_PATHS: Final = ("auto", "hardware", "software")
_HUFFMAN: Final = ("fixed", "dynamic")
_FORMATS: Final = {Container.RAW: "raw", Container.ZLIB: "zlib", Container.GZIP: "gzip", Container.GZIP_EXT: "gzip"}
_DEVICES: Final = Path("/sys/bus/dsa/devices")
_HEADER_GENERATION: Final = 1 << 8
_ONE_PASS: Final = 4096
_MEANINGS: Final = {217: "distance beyond the history of 4096 bytes", 218: "distance before the start"}
"""What ``status.h`` (qpl 1.9.0) says more of a status than its name does."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """A job that was submitted, and where its output goes."""

    job: Any
    output: bytearray
    problem: Exception | None
    """Why there is nothing to wait for."""


class _QplCodec:
    def __init__(self, name: str, level: int, path: int, huffman: int, jobs: int) -> None:
        self.name = name
        self._qpl = binding("qpl")
        self.version: str = self._qpl.version()
        self.provenance: Provenance = "hardware" if _PATHS[path] == "hardware" else "vendor-software"
        self.device = "IAA"
        self.routing = Routing(jobs=1 + huffman, one_pass=_one_pass())
        self.encoder = ENCODER
        self.decoder = replace(DECODER, needs_end=_PATHS[path] == "hardware")
        self._level = level
        self._path = _PATHS[path]
        self._huffman = _HUFFMAN[huffman]
        self._in_flight = jobs
        self._threads = threading.local()
        self._job()

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        job = self._job()
        if container is Container.ZLIB:
            job.reset()
        return self._write(job, data, self._compression(container))

    def compress_batch(self, inputs: Iterable[Bytes], container: Container, window: int) -> Iterator[Bytes]:
        if self._in_flight == 1:
            return map(self.compress, inputs, repeat(container), repeat(window))

        def submit(job: Any, data: Bytes) -> bytearray:
            if container is Container.ZLIB:
                job.reset()
            output = bytearray(self._qpl.compress_bound(len(data)))
            job.submit_compress(data, output, **self._compression(container))
            return output

        return self._flights(inputs, submit)

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        return self._read(self._job(), data, size, {"format": _FORMATS[container]})

    def decompress_batch(self, streams: Iterable[Bytes], container: Container, size: int) -> Iterator[Bytes]:
        if self._in_flight == 1:
            return map(self.decompress, streams, repeat(container), repeat(size))

        def submit(job: Any, data: Bytes) -> bytearray:
            output = bytearray(size)
            job.submit_decompress(data, output, format=_FORMATS[container])
            return output

        return (self._sized(output, size) for output in self._flights(streams, submit))

    def compressor(self, container: Container, window: int) -> Compressor:
        """A stream of jobs that go on: libqpl has no flush, so it is no stream that a receiver could follow."""
        return Compressor(self._new(), self._write, self._compression(container))

    def _read(self, job: Any, data: Bytes, size: int, options: Options, spare: int = 0) -> bytearray:
        output = bytearray(size + spare)
        try:
            produced = job.decompress_into(data, output, **options)
        except self._qpl.Error as problem:
            raise self._failed(job, problem) from None
        del output[produced:]
        return self._sized(output, size)

    def _write(self, job: Any, data: Bytes, options: Options, spare: int = 0) -> bytearray:
        output = bytearray(self._qpl.compress_bound(len(data)) + spare)
        try:
            size = job.compress_into(data, output, **options)
        except self._qpl.Error as problem:
            raise self._failed(job, problem) from None
        del output[size:]
        return output

    def _flights(self, inputs: Iterable[Bytes], submit: Callable[[Any, Bytes], bytearray]) -> Iterator[bytearray]:
        """The outputs in order; as many jobs as there are, or as the queue takes, are under way at a time."""
        jobs = self._several()
        flying: deque[_Flight] = deque()
        try:
            for number, data in enumerate(inputs):
                if len(flying) == len(jobs):
                    yield self._landed(flying.popleft())
                while (flight := self._flight(jobs[number % len(jobs)], data, submit)) is None:
                    if not flying:
                        raise PayloadError(f"{self.name}: qpl job failed with error 5: the queues stay busy")
                    yield self._landed(flying.popleft())
                flying.append(flight)
            while flying:
                yield self._landed(flying.popleft())
        finally:
            for flight in flying:
                flight.job.reset()

    def _flight(self, job: Any, data: Bytes, submit: Callable[[Any, Bytes], bytearray]) -> _Flight | None:
        """None if every queue is full."""
        try:
            return _Flight(job, submit(job, data), None)
        except self._qpl.QueuesAreBusyError:
            return None
        except self._qpl.Error as problem:
            return _Flight(job, bytearray(), problem)

    def _landed(self, flight: _Flight) -> bytearray:
        try:
            if flight.problem is not None:
                raise flight.problem
            size = flight.job.wait()
        except self._qpl.Error as problem:
            raise self._failed(flight.job, problem) from None
        del flight.output[size:]
        return flight.output

    def _compression(self, container: Container) -> Options:
        return {"format": _FORMATS[container], "level": self._level, "huffman": self._huffman}

    def _sized(self, output: bytearray, size: int) -> bytearray:
        if len(output) != size:
            short = " (QPL_STS_OK with short output: incomplete or truncated stream)" if len(output) < size else ""
            raise PayloadError(f"{self.name}: qpl decompressed len {len(output)}, expected len {size}{short}")
        return output

    def _job(self) -> Any:
        """This thread's."""
        return self._several()[0]

    def _several(self) -> list[Any]:
        jobs: list[Any] | None = getattr(self._threads, "jobs", None)
        if jobs is None:
            jobs = self._threads.jobs = [self._new() for _ in range(self._in_flight)]
        return jobs

    def _new(self) -> Any:
        try:
            return self._qpl.Job(self._path)
        except self._qpl.Error as problem:
            raise EnvironmentBroke(f"{self.name}: {problem}") from None

    def _failed(self, job: Any, problem: Exception) -> PayloadError:
        job.reset()
        status = getattr(problem, "status", None)
        if status is None:
            return PayloadError(f"{self.name}: qpl job failed: {problem}")
        meaning = f": {_MEANINGS[status]}" if status in _MEANINGS else ""
        return PayloadError(
            f"{self.name}: qpl job failed with error {status} ({getattr(problem, 'name', '')}){meaning}"
        )


class _QplStreamCodec(_QplCodec):
    def __init__(self, name: str, **parameters: int) -> None:
        super().__init__(name, **parameters)
        self.decoder = replace(self.decoder, streaming=True)

    def decompressor(self, container: Container) -> Decompressor:
        flush_output = self._qpl.Flag.DECOMP_FLUSH_ALWAYS
        # A job that goes on keeps what has no room for the next call, and says nothing.
        read = partial(self._read, spare=1)
        return Decompressor(self._new(), read, {"format": _FORMATS[container], "flags": flush_output})


def _one_pass() -> int:
    """Bytes up to which this host's devices make codes and compress in one job.

    Bit 8 of IAACAP says that they can (``IC_HEADER_GEN``, ``sources/core-iaa/include/hw_devices.h``, qpl 1.6.0); of
    the first generation it cannot be read (``iaa_cap_show``, ``drivers/dma/idxd/sysfs.c``, Linux 6.18).
    """
    for path in _DEVICES.glob("iax*/iaa_cap"):
        with suppress(OSError, ValueError):
            if int(path.read_text(encoding="ascii"), 0) & _HEADER_GENERATION:
                return _ONE_PASS
    return 0


def _make(name: str, stream: int, **parameters: int) -> _QplCodec:
    return (_QplStreamCodec if stream else _QplCodec)(name, **parameters)


FACTORY = Factory(
    "qpl",
    _make,
    {
        "level": Parameter(1, range(1, 4, 2)),
        "path": Parameter(2, range(3)),
        "huffman": Parameter(0, range(2)),
        "stream": Parameter(0, range(2)),
        "jobs": Parameter(1, range(1, 65)),
    },
)
