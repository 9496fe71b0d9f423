"""IAA itself: descriptors, and the queue that takes them."""

from __future__ import annotations

import zlib

from multifd.codec.silicon.iaa import MAX_TRANSFER, Completion, Descriptor, WorkQueue, execute
from multifd.codec.silicon.iaa_status import Status
from tests.codec.deflates import (
    NOISE,
    PAGE,
    TEXT,
    raw,
)


def test_a_job_holds_2_mib_and_not_a_byte_more() -> None:
    just, more = (execute(Descriptor("compress", bytes(size), MAX_TRANSFER)) for size in (2 << 20, (2 << 20) + 1))

    assert just.completion is Completion.SUCCESS
    assert (more.completion, more.status) == (Completion.INVALID_SIZE, Status.TRANSFER_SIZE_INVALID)
    assert more.detail == "source is 2097153 bytes, expected at most 2097152"


def test_a_job_writes_2_mib_at_most() -> None:
    record = execute(Descriptor("decompress", raw(bytes((2 << 20) + 1)), 3 << 20))

    assert (record.completion, len(record.output)) == (Completion.OUTPUT_OVERFLOW, 2 << 20)


def test_no_state_survives_a_job() -> None:
    stream = zlib.compressobj(1, zlib.DEFLATED, -12)
    first = stream.compress(TEXT) + stream.flush(zlib.Z_SYNC_FLUSH)
    second = stream.compress(TEXT) + stream.flush()

    assert execute(Descriptor("decompress", first, PAGE)).status is Status.BAD_EOF_ERR
    assert execute(Descriptor("decompress", second, PAGE)).status is Status.REF_BEFORE_START_ERR


def test_compression_that_does_not_fit_is_an_overflow() -> None:
    record = execute(Descriptor("compress", NOISE, PAGE - 1))

    assert (record.completion, record.status) == (Completion.ANALYTICS_ERROR, Status.DST_IS_SHORT_ERR)


def test_a_queue_takes_its_depth_and_completes_in_order() -> None:
    queue = WorkQueue(depth=2)
    jobs = [Descriptor("decompress", raw(text), 9) for text in (b"first", b"second", b"third")]

    assert [queue.submit(job) for job in jobs] == [True, True, False]
    assert [queue.complete().output, queue.complete().output] == [b"first", b"second"]
    assert queue.submit(jobs[2])


def test_every_so_manieth_job_ends_with_a_page_fault() -> None:
    queue = WorkQueue(depth=1, fault=3)
    completions = []
    for _ in range(6):
        queue.submit(Descriptor("decompress", raw(b"x"), 1))
        completions.append(queue.complete().completion)

    assert completions == [Completion.SUCCESS, Completion.SUCCESS, Completion.PAGE_FAULT] * 2
