"""libqpl itself, through qpl-py (``packages/qpl-py``): the accelerator, or the library's own software path.

What libqpl 1.9.0 does and this codec makes visible or keeps away from its users:

* truncated input is ``QPL_STS_OK`` with short output, as is an error after the first 64 KiB: a length that is not the
  one expected is an error here, as it is to QEMU ("qpl decompressed len %u, expected len %u");
* hence a stream that has no end is none in software, as long as all of its output has come; silicon wants the end;
* the Adler-32 of a second stream in zlib mode continues that of the first: the job is made new before each;
* after an error the job is made new.

A job belongs to one thread, so every channel has its own. ``path`` 0 is ``auto``, which may compute in software
without saying so, and therefore counts as software until counters prove otherwise; ``path`` 1 never does: a job that it
completed was the accelerator's, and is counted. There jobs are submitted, and made again or given to software, as QEMU
does it (:mod:`.qpl_queue`). With ``stream`` a channel's packets are one stream (:mod:`.qpl_streams`), with ``jobs``
several pages are submitted before the first is waited for, as QEMU does on hardware (migration/multifd-qpl.c, QEMU
10.2); the software path computes them as they are submitted. ``numa_id`` is the job's: a node, -1 the library's default
(the caller's socket; before 1.6.0 its node), -2 the caller's node, -3 any accelerator.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from multifd.codec.binding import binding
from multifd.codec.contract import Factory, Parameter
from multifd.codec.ledger import Ledger
from multifd.codec.qpl_container import DECODER, ENCODER
from multifd.codec.qpl_queue import Queue, Task
from multifd.codec.qpl_streams import Compressor, Decompressor, Options
from multifd.errors import EnvironmentBroke, PayloadError
from multifd.framing.coder import Bytes, Routing, Tally
from multifd.framing.container import Container
from multifd.result.terms import Provenance

_PATHS: Final = ("auto", "hardware", "software")
_HUFFMAN: Final = ("fixed", "dynamic")
_FORMATS: Final = {Container.RAW: "raw", Container.ZLIB: "zlib", Container.GZIP: "gzip", Container.GZIP_EXT: "gzip"}
_DEVICES: Final = Path("/sys/bus/dsa/devices")
_HEADER_GENERATION: Final = 1 << 8
_ONE_PASS: Final = 4096
_MEANINGS: Final = {217: "distance beyond the history of 4096 bytes", 218: "distance before the start"}
"""What ``status.h`` (qpl 1.9.0) says more of a status than its name does."""


_COMPLETED: Final = "jobs that libqpl completed on its hardware path, which never falls back"


class _QplCodec:
    def __init__(self, name: str, level: int, path: int, huffman: int, jobs: int, numa_id: int) -> None:
        self.name = name
        self._qpl = binding("qpl")
        self.version: str = self._qpl.version()
        self._hardware = _PATHS[path] == "hardware"
        self.provenance: Provenance = "hardware" if self._hardware else "vendor-software"
        self.device = "IAA"
        self.routing = Routing(jobs=1 + huffman, one_pass=_one_pass())
        self.encoder = ENCODER
        self.decoder = replace(DECODER, needs_end=self._hardware)
        self._level = level
        self._path = _PATHS[path]
        self._numa_id = numa_id
        self._huffman = _HUFFMAN[huffman]
        self._in_flight = jobs
        self._queues = self._hardware or jobs > 1
        self._ledger = Ledger()
        self._threads = threading.local()
        self._job()

    def tally(self) -> Tally:
        """Jobs that the library completed on the hardware path, a code of its own counted where it is one."""
        return self._ledger.tally(_COMPLETED, "jobs", counts=self._hardware)

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        if self._queues:
            return next(self.compress_batch((data,), container, window))
        job = self._job()
        if container is Container.ZLIB:
            job.reset()
        return self._write(job, data, self._compression(container))

    def compress_batch(self, inputs: Iterable[Bytes], container: Container, window: int) -> Iterator[Bytes]:
        if not self._queues:
            return map(self.compress, inputs, repeat(container), repeat(window))
        options, bound = self._compression(container), self._qpl.compress_bound
        return self._flights(Task(data, bound(len(data)), options, container, compresses=True) for data in inputs)

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        if self._queues:
            return next(self.decompress_batch((data,), container, size))
        return self._read(self._job(), data, size, {"format": _FORMATS[container]})

    def decompress_batch(self, streams: Iterable[Bytes], container: Container, size: int) -> Iterator[Bytes]:
        if not self._queues:
            return map(self.decompress, streams, repeat(container), repeat(size))
        options = {"format": _FORMATS[container]}
        tasks = (Task(data, size, options, container, compresses=False) for data in streams)
        return (self._sized(output, size) for output in self._flights(tasks))

    def compressor(self, container: Container, window: int) -> Compressor:
        """A stream of jobs that go on: libqpl has no flush, so it is no stream that a receiver could follow."""
        return Compressor(self._new(self._path), self._write, self._compression(container))

    def _read(self, job: Any, data: Bytes, size: int, options: Options, spare: int = 0) -> bytearray:
        output = bytearray(size + spare)
        try:
            produced = job.decompress_into(data, output, **options)
        except self._qpl.Error as problem:
            raise self._failed(job, problem) from None
        self._ledger.add(device=1)
        del output[produced:]
        return self._sized(output, size)

    def _write(self, job: Any, data: Bytes, options: Options, spare: int = 0) -> bytearray:
        output = bytearray(self._qpl.compress_bound(len(data)) + spare)
        try:
            size = job.compress_into(data, output, **options)
        except self._qpl.Error as problem:
            raise self._failed(job, problem) from None
        self._ledger.add(device=self._weight(len(data)))
        del output[size:]
        return output

    def _flights(self, tasks: Iterable[Task]) -> Iterator[bytearray]:
        outputs = self._queue().run(tasks)
        try:
            yield from outputs
        except self._qpl.Error as problem:
            raise self._broken(problem) from None

    def _weight(self, size: int) -> int:
        """Jobs of the device for a compression of so many bytes."""
        return 1 if size <= self.routing.one_pass else self.routing.jobs

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
            jobs = self._threads.jobs = [self._new(self._path) for _ in range(self._in_flight)]
        return jobs

    def _queue(self) -> Queue:
        """This thread's."""
        queue: Queue | None = getattr(self._threads, "queue", None)
        if queue is None:
            spare = partial(self._new, "software")
            queue = Queue(self._qpl, self._several(), spare, self._ledger, self._weight)
            self._threads.queue = queue
        return queue

    def _new(self, path: str) -> Any:
        try:
            return self._qpl.Job(path, self._numa_id)
        except self._qpl.Error as problem:
            raise EnvironmentBroke(f"{self.name}: {problem}") from None

    def _failed(self, job: Any, problem: Exception) -> Exception:
        job.reset()
        return self._broken(problem)

    def _broken(self, problem: Exception) -> Exception:
        if isinstance(problem, self._qpl.InitialisationError):
            return EnvironmentBroke(f"{self.name}: {problem}")
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
        return Decompressor(self._new(self._path), read, {"format": _FORMATS[container], "flags": flush_output})


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
        "numa_id": Parameter(-1, range(-3, 1 << 10)),
    },
)
