"""The In-Memory Analytics Accelerator: a work queue that takes descriptors and returns completion records.

Made from libqpl, which drives it (``sources/c_api/legacy_hw_path``, ``sources/middle-layer/util``), its documentation
and its tests for the hardware path, and never compared with the device. The authority would be the In-Memory Analytics
Accelerator Architecture Specification (Intel 354834).

* A descriptor is one whole stream (QEMU submits FIRST and LAST together), or the next part of one that it reads: the
  engine then keeps history, codes and bits in an AECS, which the following descriptor names
  (``AD_RDSRC2_AECS``, ``AD_WRSRC2_ALWAYS``, ``qpl_hw_inflate_job.cpp``, qpl 1.6.0). Nothing flushes what it writes.
* Either buffer holds at most 2 MiB, the default ``max_transfer_size`` of a work queue.
* ENQCMD says "retry" when a shared queue is full; the descriptor was not taken (``QPL_STS_QUEUES_ARE_BUSY_ERR``).
* With ``block_on_fault`` 0 a page fault ends the job: "no partial completion is available and the operation must be
  resubmitted" (libqpl's introduction, Page Faults Handling).
* Compression writes one block of the fixed code, or of a code from statistics gathered in a first pass; output that
  does not fit is an unrecoverable overflow (error code 25).

Compression is computed by zlib: one block for up to 16383 tokens, a page always being one. Input of up to 4099 bytes is
given a window of 8 KiB, because it cannot hold a distance beyond 4096 and zlib uses 262 bytes less than its window.
Longer input with its own code goes to ISA-L, which uses all of its 4 KiB, unless the engine could not read the result.
"""

from __future__ import annotations

import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from isal import isal_zlib

from multifd.codec.silicon.iaa_inflate import HISTORY, Inflation, inflate
from multifd.codec.silicon.iaa_status import COMPLETION, Refusal, Status

MAX_TRANSFER: Final = 2 << 20
"""Bytes of a job's source, and of its destination."""

_SHORTEST_MATCH: Final = 3
_WINDOW_BITS: Final = 12


class Completion(IntEnum):
    """Completion status: 300 less than the status that libqpl makes of it (``qpl/c_api/status.h``, qpl 1.9.0)."""

    SUCCESS = 0x01
    PAGE_FAULT = 0x03
    ANALYTICS_ERROR = 0x0A
    OUTPUT_OVERFLOW = 0x0B
    INVALID_SIZE = 0x13


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One job, a whole raw DEFLATE stream in or out, or a part of one in."""

    operation: Literal["compress", "decompress"]
    source: bytes
    room: int
    """Bytes of the destination."""
    dynamic: bool = False
    """Compress with a code made for the data instead of the fixed one."""
    aecs: Inflation | None = None
    """What earlier jobs of the stream left, None for a whole one."""


@dataclass(frozen=True, slots=True)
class Record:
    """How a job ended."""

    completion: Completion
    output: bytes = b""
    status: Status = Status.OK
    """What libqpl makes of completion status and error code."""
    detail: str = ""


@dataclass(slots=True)
class Counters:
    """What happened to a queue since it was made."""

    submitted: int = 0
    """Descriptors offered, taken or not."""
    busy: int = 0
    """Descriptors not taken."""
    jobs: int = 0
    """Jobs that ran, to whatever end."""
    faults: int = 0
    """Jobs that a page fault ended."""


class WorkQueue:
    """A shared work queue with one engine behind it; completes in order.

    :param depth: descriptors that it holds; 0 takes none.
    :param busy: every so manieth submission is answered as if the queue were full, 0 for none: other processes
        share it.
    :param fault: every so manieth job ends with a page fault, 0 for none.
    """

    def __init__(self, depth: int, busy: int = 0, fault: int = 0) -> None:
        self.counters = Counters()
        self._depth = depth
        self._busy = busy
        self._fault = fault
        self._waiting: deque[Descriptor] = deque()

    def submit(self, descriptor: Descriptor) -> bool:
        """Offer a job; False if the queue did not take it."""
        self.counters.submitted += 1
        if len(self._waiting) >= self._depth or _every(self._busy, self.counters.submitted):
            self.counters.busy += 1
            return False
        self._waiting.append(descriptor)
        return True

    def complete(self) -> Record:
        """Run the oldest job. Raises ``IndexError`` if there is none."""
        descriptor = self._waiting.popleft()
        self.counters.jobs += 1
        if _every(self._fault, self.counters.jobs):
            self.counters.faults += 1
            return Record(Completion.PAGE_FAULT, status=Status(COMPLETION + Completion.PAGE_FAULT), detail="page fault")
        return execute(descriptor)


def execute(descriptor: Descriptor) -> Record:
    """What the engine does with a job, apart from all other jobs."""
    source, room = descriptor.source, min(descriptor.room, MAX_TRANSFER)
    if len(source) > MAX_TRANSFER:
        return _refused(
            Completion.INVALID_SIZE,
            Status(COMPLETION + Completion.INVALID_SIZE),
            f"source is {len(source)} bytes, expected at most {MAX_TRANSFER}",
        )
    if descriptor.operation == "compress":
        return compressed(descriptor)
    try:
        aecs = descriptor.aecs
        output = inflate(source, room) if aecs is None else aecs.job(source, room)
        return Record(Completion.SUCCESS, output)
    except Refusal as refusal:
        overflow = refusal.status is Status.MORE_OUTPUT_NEEDED
        completion = Completion.OUTPUT_OVERFLOW if overflow else Completion.ANALYTICS_ERROR
        return Record(completion, refusal.output, refusal.status, refusal.detail)


def compressed(descriptor: Descriptor) -> Record:
    """The data of a job compressed, or an overflow of its destination."""
    source, room = descriptor.source, descriptor.room
    output = _deflate(source, dynamic=descriptor.dynamic)
    if len(output) <= room:
        return Record(Completion.SUCCESS, output)
    detail = f"more than {room} bytes of compressed data"
    return _refused(Completion.ANALYTICS_ERROR, Status.DST_IS_SHORT_ERR, detail)


def _every(period: int, count: int) -> bool:
    return period > 0 and count % period == 0


def _refused(completion: Completion, status: Status, detail: str) -> Record:
    return Record(completion, status=status, detail=detail)


def _deflate(data: bytes, *, dynamic: bool) -> bytes:
    short = len(data) <= HISTORY + _SHORTEST_MATCH
    if dynamic and not short:
        stream: bytes = isal_zlib.compress(data, 1, -_WINDOW_BITS)
        with suppress(Refusal):
            inflate(stream, len(data))
            return stream
    strategy = zlib.Z_DEFAULT_STRATEGY if dynamic else zlib.Z_FIXED
    window = _WINDOW_BITS + 1 if short else _WINDOW_BITS
    coder = zlib.compressobj(1, zlib.DEFLATED, -window, zlib.DEF_MEM_LEVEL, strategy)
    return coder.compress(data) + coder.flush()
