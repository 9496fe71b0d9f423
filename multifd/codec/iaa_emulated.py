"""The Intel In-Memory Analytics Accelerator, emulated: what QEMU and libqpl do around it.

For each page QEMU (``migration/multifd-qpl.c``, QEMU 10.2) submits a job to the hardware path, again up to three times
while the queues are busy (``MAX_SUBMIT_RETRY_NUM``), and otherwise computes the page with libqpl's software path
(``fallback_sw_path``). It looks at no other failure: a job that was taken and fails leaves the page uncompressed when
sending, and ends the migration when receiving. libqpl answers a page fault by touching the page and submitting the job
once more (``qpl_hw_check_job.cpp``, qpl 1.6.0), and a compression that overflows by writing stored blocks.

With ``stream`` the packets of a channel are one stream, a job each, whose state the engine keeps; what QEMU does when a
queue stays busy is then not to be had.

So what a receiver accepts can depend on how busy its device is: the software path takes streams that the silicon
refuses (see :mod:`multifd.codec.silicon.iaa_inflate`).
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from multifd.codec.contract import Factory, Parameter
from multifd.codec.flushed import is_flushed
from multifd.codec.qpl_container import DECODER, ENCODER, unwrap, without_header, wrap
from multifd.codec.silicon.iaa import Completion, Descriptor, Record, WorkQueue, compressed
from multifd.codec.silicon.iaa_inflate import Inflation, inflate
from multifd.codec.silicon.iaa_status import Refusal, Status
from multifd.errors import PayloadError
from multifd.framing.coder import Bytes, Routing, Tally
from multifd.framing.container import Container
from multifd.result.terms import Provenance

RETRIES: Final = 3
"""``MAX_SUBMIT_RETRY_NUM``."""


@dataclass(slots=True)
class Effort:
    """How the codec's jobs were done, since it was made; the queue's own counters stand beside."""

    retries: int = 0
    """Submissions repeated because the queue was busy."""
    fallbacks: int = 0
    """Jobs computed in software because the queue stayed busy."""
    resubmissions: int = 0
    """Jobs submitted again after a page fault."""
    completed: int = 0
    """Jobs that the engine ran to their end, one with a code of its own counted as the two that it takes."""


_COMPLETED: Final = "jobs that libqpl completed on its hardware path, as far as the model goes"


class _IaaCodec:
    def __init__(self, name: str, huffman: int, queue: int, busy: int, fault: int) -> None:
        self.name = name
        self.version = "1"
        self.provenance: Provenance = "emulated"
        self.device = "IAA"
        self.routing = Routing(jobs=1 + huffman)
        self.queue = WorkQueue(queue, busy, fault)
        self.effort = Effort()
        # A job whose page fault meets a busy queue is not done again.
        self.encoder = replace(ENCODER, stores=bool(busy and fault))
        self.decoder = DECODER
        self._dynamic = bool(huffman)
        # The channels of a live migration share a codec, and a record belongs to who submitted.
        self._lock = threading.Lock()

    def tally(self) -> Tally:
        """Of the model, what is to be had of libqpl."""
        with self._lock:
            effort = self.effort
            return Tally(
                source=_COMPLETED,
                device=effort.completed,
                software=effort.fallbacks,
                busy=effort.retries,
                faults=effort.resubmissions,
            )

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        source = bytes(data)
        record = self._run(Descriptor("compress", source, max(len(source) - 1, 0), self._dynamic))
        raw = record.output if record.completion is Completion.SUCCESS else _stored(source)
        return wrap(raw, source, container)

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        raw = self.unwrapped(bytes(data), container, unwrap)
        return self._completed(self._run(Descriptor("decompress", raw, size)))

    def unwrapped(self, data: bytes, container: Container, without: Callable[[bytes, Container], bytes]) -> bytes:
        """The DEFLATE; raises PayloadError for a header that is none."""
        try:
            return without(data, container)
        except Refusal as refusal:
            raise self._failed(refusal.status, refusal.detail) from None

    def _completed(self, record: Record) -> bytes:
        if record.completion is not Completion.SUCCESS:
            raise self._failed(record.status, record.detail)
        return record.output

    def _run(self, descriptor: Descriptor) -> Record:
        with self._lock:
            return self._run_alone(descriptor)

    def _run_alone(self, descriptor: Descriptor) -> Record:
        if not self._submitted(descriptor):
            self.effort.fallbacks += 1
            return _software(descriptor)
        return self._taken(descriptor)

    def _taken(self, descriptor: Descriptor) -> Record:
        record = self.queue.complete()
        if record.completion is Completion.PAGE_FAULT:
            self.effort.resubmissions += 1
            if not self.queue.submit(descriptor):
                return Record(record.completion, status=Status.QUEUES_ARE_BUSY_ERR, detail="resubmission not taken")
            record = self.queue.complete()
        if record.completion is not Completion.PAGE_FAULT:
            self.effort.completed += self.routing.jobs if descriptor.operation == "compress" else 1
        return record

    def _submitted(self, descriptor: Descriptor) -> bool:
        for _ in range(RETRIES):
            if self.queue.submit(descriptor):
                return True
            self.effort.retries += 1
        return self.queue.submit(descriptor)

    def _failed(self, status: Status, detail: str) -> PayloadError:
        return PayloadError(f"{self.name}: qpl job failed with error {status.value} ({status.label}): {detail}")


def _software(descriptor: Descriptor) -> Record:
    """The same job by libqpl's software path, whose encoder is not modelled apart."""
    if descriptor.operation == "compress":
        return compressed(descriptor)
    try:
        return Record(Completion.SUCCESS, inflate(descriptor.source, descriptor.room, spanning=True))
    except Refusal as refusal:
        return Record(Completion.ANALYTICS_ERROR, refusal.output, refusal.status, refusal.detail)


def _stored(data: bytes) -> bytes:
    """Stored blocks: what libqpl writes where a block's code does not help, and longer than a page that QEMU sends."""
    stream = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


class _Decompressor:
    """A stream being read, a job for each packet."""

    def __init__(self, codec: _IaaStreamCodec, container: Container) -> None:
        self.ended = False
        self._codec = codec
        self._container = container
        self._aecs: Inflation | None = None

    def decompress(self, data: Bytes, size: int) -> Bytes:
        if not is_flushed(data):
            self.ended = True
            return b""
        source = bytes(data)
        if self._aecs is None:
            source = self._codec.unwrapped(source, self._container, without_header)
            self._aecs = Inflation()
        output = self._codec.continued(Descriptor("decompress", source, size, aecs=self._aecs))
        if len(output) != size:
            name = self._codec.name
            raise PayloadError(f"{name}: qpl decompressed len {len(output)}, expected len {size}")
        return output


class _IaaStreamCodec(_IaaCodec):
    def __init__(self, name: str, **parameters: int) -> None:
        super().__init__(name, **parameters)
        self.decoder = replace(DECODER, streaming=True)

    def decompressor(self, container: Container) -> _Decompressor:
        return _Decompressor(self, container)

    def continued(self, descriptor: Descriptor) -> bytes:
        """The output of a job that goes on with others: software cannot, for it does not have the AECS."""
        with self._lock:
            if not self._submitted(descriptor):
                raise self._failed(Status.QUEUES_ARE_BUSY_ERR, "the queue stays busy, and the stream is the engine's")
            return self._completed(self._taken(descriptor))


def _make(name: str, stream: int, **parameters: int) -> _IaaCodec:
    return (_IaaStreamCodec if stream else _IaaCodec)(name, **parameters)


FACTORY = Factory(
    "iaa-emulated",
    _make,
    {
        "huffman": Parameter(0, range(2)),
        "queue": Parameter(128, range(129)),
        "busy": Parameter(0, range(1 << 16)),
        "fault": Parameter(0, range(1 << 16)),
        "stream": Parameter(0, range(2)),
    },
)
