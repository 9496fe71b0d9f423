"""The codec over qpl-py: the traps of libqpl that it makes visible, tried with a binding that springs them."""

from __future__ import annotations

import sys
import threading
import zlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import pytest

from multifd.codec import create, create_peer
from multifd.codec.binding import VERSION
from multifd.errors import EnvironmentBroke, InputError, PayloadError, Unsupported
from multifd.framing.coder import (
    Codec,
    Routed,
    StreamDecoder,
    compressor_of,
    decompress_each,
    decompressor_of,
)
from multifd.framing.container import Container

PAGE: Final = 4096


class Error(Exception):
    """As qpl.Error."""


class LibraryNotFoundError(Error):
    """As qpl.LibraryNotFoundError."""


class LayoutError(Error):
    """As qpl.LayoutError."""


class QplError(Error):
    """As qpl.QplError."""

    def __init__(self, status: int, name: str) -> None:
        self.status, self.name = status, name
        super().__init__(name)


class QueuesAreBusyError(QplError):
    """As qpl.QueuesAreBusyError."""


class PageFaultError(QplError):
    """As qpl.PageFaultError."""


class InitialisationError(QplError):
    """As qpl.InitialisationError."""


class Job:
    """A job that records what is asked of it; ``answer`` is the next result, of silicon with ``faults`` before it."""

    made: Final[list[Job]] = []
    answer: int | Error = PAGE
    faults = 0
    """Jobs that end with a page fault, from the next one on."""
    depth = 128
    """Submissions that the queue takes."""
    flying = 0
    most = 0
    """Under way at a time."""

    def __init__(self, path: str, numa_id: int) -> None:
        self.path = path
        self.numa_id = numa_id
        self.calls: list[object] = []
        Job.made.append(self)

    def _call(self, *call: object) -> int:
        self.calls.append(call)
        if isinstance(Job.answer, Error):
            raise Job.answer
        return Job.answer

    def compress_into(self, data: bytes, dst: bytearray, **options: object) -> int:
        return self._call("compress", *options.values())

    def decompress_into(self, data: bytes, dst: bytearray, **options: object) -> int:
        return self._call("decompress", *options.values())

    def submit_compress(self, data: bytes, dst: bytearray, **options: object) -> None:
        self._submit("compress", data)

    def submit_decompress(self, data: bytes, dst: bytearray, **options: object) -> None:
        self._submit("decompress", data)

    def _submit(self, what: str, data: bytes) -> None:
        self.calls.append((f"submit {what}", data))
        if Job.flying >= Job.depth:
            raise QueuesAreBusyError(5, "QPL_STS_QUEUES_ARE_BUSY_ERR")
        Job.flying += 1
        Job.most = max(Job.most, Job.flying)

    def wait(self) -> int:
        Job.flying -= 1
        if Job.faults:
            Job.faults -= 1
            raise PageFaultError(303, "QPL_STS_INTL_PAGE_FAULT")
        return self._call("wait")

    def reset(self) -> None:
        self.calls.append("reset")


def module(**changes: Any) -> SimpleNamespace:
    plain = {
        "__version__": VERSION,
        "Error": Error,
        "LibraryNotFoundError": LibraryNotFoundError,
        "LayoutError": LayoutError,
        "QueuesAreBusyError": QueuesAreBusyError,
        "PageFaultError": PageFaultError,
        "InitialisationError": InitialisationError,
        "Flag": SimpleNamespace(DECOMP_FLUSH_ALWAYS="flush"),
        "Job": Job,
        "version": lambda: "1.9.0",
        "load": lambda: None,
        "compress_bound": lambda size: 2 * size,
    }
    return SimpleNamespace(**plain | changes)


@pytest.fixture(autouse=True)
def binding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "qpl", module())
    Job.made.clear()
    Job.answer, Job.faults, Job.depth, Job.flying, Job.most = PAGE, 0, 128, 0, 0
    yield
    Job.made.clear()


def refused(codec: Codec) -> str:
    with pytest.raises(PayloadError) as caught:
        codec.decompress(b"", Container.RAW, PAGE)
    return str(caught.value)


def test_the_software_path_is_the_vendors_software() -> None:
    codec = create("qpl")

    assert (codec.provenance, codec.device, codec.version) == ("vendor-software", "IAA", "1.9.0")
    assert [job.path for job in Job.made] == ["software"]


@pytest.mark.parametrize(("path", "name", "provenance"), [(0, "auto", "vendor-software"), (1, "hardware", "hardware")])
def test_only_the_hardware_path_counts_as_hardware(path: int, name: str, provenance: str) -> None:
    codec = create("qpl", {"path": path})

    assert (codec.provenance, Job.made[0].path) == (provenance, name)


@pytest.mark.parametrize(("path", "needed"), [(0, False), (1, True), (2, False)])
def test_only_silicon_wants_the_end_of_a_stream(path: int, needed: bool) -> None:
    decoder = create("qpl", {"path": path}).decoder

    assert decoder is not None
    assert decoder.needs_end is needed


def test_output_that_is_short_is_an_error_though_the_library_says_ok() -> None:
    Job.answer = PAGE - 1

    assert refused(create("qpl")) == (
        "qpl: qpl decompressed len 4095, expected len 4096"
        " (QPL_STS_OK with short output: incomplete or truncated stream)"
    )


def test_an_error_has_the_librarys_name_and_the_job_is_made_new() -> None:
    codec = create("qpl")
    Job.answer = QplError(217, "QPL_STS_BAD_DIST_ERR")

    assert refused(codec) == (
        "qpl: qpl job failed with error 217 (QPL_STS_BAD_DIST_ERR): distance beyond the history of 4096 bytes"
    )
    assert Job.made[0].calls == [("decompress", "raw"), "reset"]


def test_an_error_without_a_status_is_passed_on() -> None:
    codec = create("qpl")
    Job.answer = Error("data is 3 bytes, expected at least 18")

    assert refused(codec) == "qpl: qpl job failed: data is 3 bytes, expected at least 18"


@pytest.mark.parametrize(
    ("container", "calls"),
    [
        (Container.RAW, [("compress", "raw", 3, "dynamic")]),
        (Container.GZIP, [("compress", "gzip", 3, "dynamic")]),
        (Container.ZLIB, ["reset", ("compress", "zlib", 3, "dynamic")]),
    ],
)
def test_the_job_is_made_new_before_a_zlib_stream_because_it_keeps_the_checksum(
    container: Container, calls: list[object]
) -> None:
    codec = create("qpl", {"level": 3, "huffman": 1})

    codec.compress(bytes(PAGE), container, 12)

    assert Job.made[0].calls == calls


def test_compressed_data_is_as_long_as_the_library_says() -> None:
    Job.answer = 100

    assert len(memoryview(create("qpl").compress(bytes(PAGE), Container.RAW, 12))) == 100


def test_every_thread_has_a_job_of_its_own() -> None:
    codec = create("qpl")

    thread = threading.Thread(target=codec.decompress, args=(b"", Container.RAW, PAGE))
    thread.start()
    thread.join()

    assert [job.calls for job in Job.made] == [[], [("decompress", "raw")]]


def test_without_the_binding_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qpl", None)

    with pytest.raises(EnvironmentBroke) as caught:
        create("qpl")

    assert str(caught.value) == "codec qpl: the package qpl-py is not installed: pip install packages/qpl-py"


@pytest.mark.parametrize("error", [LibraryNotFoundError, LayoutError])
def test_without_the_library_it_says_what_the_binding_says(error: type[Error], monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise error("libqpl cannot be loaded")

    monkeypatch.setitem(sys.modules, "qpl", module(load=load))

    with pytest.raises(EnvironmentBroke, match=r"^codec qpl: libqpl cannot be loaded$"):
        create("qpl")


def test_a_path_that_is_not_there_is_the_environments_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def job(path: str, numa_id: int) -> Job:
        raise InitialisationError(501, "QPL_STS_INIT_LIBACCEL_NOT_FOUND")

    monkeypatch.setitem(sys.modules, "qpl", module(Job=job))

    with pytest.raises(EnvironmentBroke, match=r"^qpl\[path=1\]: QPL_STS_INIT_LIBACCEL_NOT_FOUND$"):
        create("qpl", {"path": 1})


def test_it_declares_no_streams() -> None:
    codec = create("qpl")

    assert codec.encoder is not None and codec.decoder is not None
    assert codec.encoder.streaming is False
    assert (codec.decoder.streaming, isinstance(codec, StreamDecoder)) == (False, False)
    with pytest.raises(Unsupported, match=r"^qpl has no streams$"):
        compressor_of(codec, Container.RAW, 12)


FLUSHED: Final = b"packet\0\0\xff\xff"


def test_a_stream_is_one_job_that_is_first_once_and_never_last() -> None:
    stream = decompressor_of(create("qpl", {"stream": 1}), Container.ZLIB)

    assert [len(memoryview(stream.decompress(FLUSHED, PAGE))) for _ in range(3)] == [PAGE] * 3

    assert Job.made[-1].calls == [
        ("decompress", "zlib", "flush", True, False),
        ("decompress", "zlib", "flush", False, False),
        ("decompress", "zlib", "flush", False, False),
    ]


def test_every_stream_has_a_job_of_its_own() -> None:
    codec = create("qpl", {"stream": 1})

    for stream in (decompressor_of(codec, Container.ZLIB), decompressor_of(codec, Container.ZLIB)):
        stream.decompress(FLUSHED, PAGE)

    assert [len(job.calls) for job in Job.made] == [0, 1, 1]


def test_a_packet_of_a_stream_that_comes_short_is_an_error() -> None:
    stream = decompressor_of(create("qpl", {"stream": 1}), Container.ZLIB)
    Job.answer = PAGE - 1

    with pytest.raises(PayloadError, match="qpl decompressed len 4095, expected len 4096"):
        stream.decompress(FLUSHED, PAGE)


def test_a_packet_with_which_the_stream_ends_is_seen_before_the_library_reads_on() -> None:
    stream = decompressor_of(create("qpl", {"stream": 1}), Container.ZLIB)

    output = stream.decompress(b"a final block and its Adler-32", PAGE)

    assert (bytes(output), stream.ended, Job.made[-1].calls) == (b"", True, [])


def test_trying_to_write_a_stream_is_what_the_library_has_for_it() -> None:
    stream = compressor_of(create("qpl"), Container.RAW, 12, trying=True)

    stream.compress(bytes(PAGE))
    stream.compress(bytes(PAGE))

    assert stream.sync() == b""
    assert Job.made[-1].calls == [
        ("compress", "raw", 1, "fixed", True, False),
        ("compress", "raw", 1, "fixed", False, False),
    ]


@pytest.mark.parametrize(("jobs", "depth", "most"), [(2, 128, 2), (4, 128, 4), (4, 3, 3), (64, 128, 10)])
def test_as_many_jobs_are_under_way_as_there_are_or_as_the_queue_takes(jobs: int, depth: int, most: int) -> None:
    codec = create("qpl", {"jobs": jobs})
    Job.depth = depth

    outputs = list(decompress_each(codec, [bytes(1)] * 10, Container.RAW, PAGE))

    assert (len(outputs), Job.most, Job.flying) == (10, most, 0)


def told(codec: Codec) -> tuple[int | None, int, int, int]:
    assert isinstance(codec, Routed)
    tally = codec.tally()
    assert tally.unit == "jobs"
    return tally.device, tally.software, tally.busy, tally.faults


def hardware(**parameters: int) -> Codec:
    return create("qpl", {"path": 1, **parameters})


def test_a_full_queue_is_three_retries_and_then_a_job_in_software() -> None:
    codec = hardware()
    Job.depth = 0

    codec.decompress(b"", Container.RAW, PAGE)

    assert [call[0] for job in Job.made for call in job.calls if isinstance(call, tuple)] == [
        *["submit decompress"] * 4,
        "decompress",
    ]
    assert [job.path for job in Job.made] == ["hardware", "software"]
    assert told(codec) == (0, 1, 3, 0)


def test_a_queue_that_is_full_for_a_moment_costs_no_more_than_a_retry() -> None:
    codec = hardware(jobs=2)
    Job.depth = 1

    list(decompress_each(codec, [bytes(1)] * 2, Container.RAW, PAGE))

    assert told(codec) == (1, 1, 3, 0)


def test_where_software_fails_too_the_page_goes_as_it_is() -> None:
    codec = hardware()
    Job.depth, Job.answer = 0, QplError(2, "QPL_STS_MORE_OUTPUT_NEEDED")
    page = bytes(range(256)) * 16

    written = codec.compress(page, Container.ZLIB, 12)

    assert len(memoryview(written)) > PAGE
    assert zlib.decompress(written) == page


def test_where_software_fails_to_decompress_so_does_the_codec() -> None:
    codec = hardware()
    Job.depth, Job.answer = 0, QplError(213, "QPL_STS_INVALID_BLOCK_TYPE")

    assert refused(codec) == "qpl[path=1]: qpl job failed with error 213 (QPL_STS_INVALID_BLOCK_TYPE)"


@pytest.mark.parametrize("faults", [1, 3])
def test_a_page_fault_is_a_job_made_again(faults: int) -> None:
    codec = hardware()
    Job.faults = faults

    codec.decompress(b"", Container.RAW, PAGE)

    assert told(codec) == (1, 0, 0, faults)


def test_a_job_that_faults_for_ever_sends_the_page_as_it_is() -> None:
    codec = hardware()
    Job.faults = 100
    page = bytes(range(256)) * 16

    written = codec.compress(page, Container.RAW, 12)

    assert len(memoryview(written)) > PAGE
    assert zlib.decompress(written, -15) == page
    assert told(codec) == (0, 0, 0, 3)


def test_a_job_that_faults_for_ever_decompresses_nothing() -> None:
    codec = hardware()
    Job.faults = 100

    assert refused(codec) == "qpl[path=1]: qpl job failed with error 303 (QPL_STS_INTL_PAGE_FAULT)"


def test_on_the_hardware_path_every_job_that_was_completed_is_told() -> None:
    codec = hardware(huffman=1)

    codec.compress(bytes(PAGE), Container.RAW, 12)
    codec.decompress(b"", Container.RAW, PAGE)

    assert told(codec) == (3, 0, 0, 0)


def test_so_is_every_packet_of_a_stream() -> None:
    codec = hardware(stream=1)

    decompressor_of(codec, Container.ZLIB).decompress(FLUSHED, PAGE)

    assert told(codec) == (1, 0, 0, 0)


def test_jobs_of_all_threads_are_told() -> None:
    codec = hardware()

    threads = [threading.Thread(target=codec.decompress, args=(b"", Container.RAW, PAGE)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told(codec) == (8, 0, 0, 0)


@pytest.mark.parametrize("path", [0, 2])
def test_on_other_paths_the_library_tells_nothing(path: int) -> None:
    codec = create("qpl", {"path": path})

    codec.decompress(b"", Container.RAW, PAGE)

    assert told(codec)[0] is None


def test_a_device_that_is_gone_is_the_environments_fault() -> None:
    codec = hardware()
    Job.answer = InitialisationError(503, "QPL_STS_INIT_WORK_QUEUES_NOT_AVAILABLE")

    with pytest.raises(EnvironmentBroke, match=r"^qpl\[path=1\]: QPL_STS_INIT_WORK_QUEUES_NOT_AVAILABLE$"):
        codec.decompress(b"", Container.RAW, PAGE)


@pytest.mark.parametrize(("given", "numa_id"), [({}, -1), ({"numa_id": 1}, 1), ({"numa_id": -3}, -3)])
def test_where_its_accelerators_are_is_the_jobs(given: dict[str, int], numa_id: int) -> None:
    create("qpl", given)

    assert Job.made[0].numa_id == numa_id


def test_a_peers_name_has_it_in_brackets() -> None:
    assert create_peer("qpl[numa_id=-3]").name == "qpl[numa_id=-3]"


def test_a_bad_stream_among_several_is_reported_when_its_turn_comes_and_no_job_stays_under_way() -> None:
    codec = create("qpl", {"jobs": 4})
    outputs = decompress_each(codec, [bytes(1)] * 10, Container.RAW, PAGE)
    next(outputs)
    Job.answer = QplError(213, "QPL_STS_INVALID_BLOCK_TYPE")

    with pytest.raises(PayloadError, match="error 213"):
        next(outputs)

    assert all(job.calls[-1] == "reset" for job in Job.made)


def test_libqpl_has_two_levels() -> None:
    with pytest.raises(InputError, match=r"^codec qpl: level is 2; expected one of 1, 3$"):
        create("qpl", {"level": 2})
