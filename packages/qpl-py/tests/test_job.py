"""A job under its user's control: its life, its errors by name, submitting, paths."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from samples import deflate, inflate, noise, text

import qpl
from qpl import layout

pytestmark = pytest.mark.libqpl

PAGE = text(4096)


@pytest.mark.parametrize("level", [0, 2, 9])
def test_other_levels_are_the_library_s_status_87(level: int) -> None:
    message = r"^qpl_execute_job: status 87 \(QPL_STS_UNSUPPORTED_COMPRESSION_LEVEL\)$"
    with pytest.raises(qpl.UnsupportedLevelError, match=message):
        qpl.compress(PAGE, level=level)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"format": "lzma"}, "^format is 'lzma', expected one of 'raw', 'zlib', 'gzip'$"),
        ({"level": "best"}, "^level is 'best', expected one of 'default', 'high'$"),
        ({"huffman": "none"}, "^huffman is 'none', expected one of 'fixed', 'dynamic'$"),
        ({"path": "gpu"}, "^path is 'gpu', expected one of 'auto', 'hardware', 'software'$"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(argument: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        qpl.compress(PAGE, **argument)


def test_the_high_level_compresses_text_further() -> None:
    assert len(qpl.compress(PAGE, level="high")) < len(qpl.compress(PAGE))


def test_dynamic_huffman_compresses_text_further() -> None:
    assert len(qpl.compress(PAGE, huffman="dynamic")) < len(qpl.compress(PAGE))


def test_a_reset_job_writes_what_a_new_one_writes() -> None:
    target = bytearray(5000)
    with qpl.Job() as job:
        job.compress_into(PAGE[::-1], target)
        job.reset()
        size = job.compress_into(PAGE, target)

    assert target[:size] == qpl.compress(PAGE)


def test_no_data_cannot_be_compressed() -> None:
    with pytest.raises(qpl.QplError, match=r"^qpl_execute_job: status 57 \(QPL_STS_SIZE_ERR\)$"):
        qpl.compress(b"")


def test_an_empty_stream_decompresses_to_nothing() -> None:
    assert qpl.decompress(b"\x03\x00", size=0) == b""


def test_a_page_that_does_not_shrink_is_status_2() -> None:
    with pytest.raises(qpl.MoreOutputNeededError, match=r"^qpl_execute_job: status 2 \(QPL_STS_MORE_OUTPUT_NEEDED\)$"):
        qpl.compress_into(noise(4096), bytearray(4095))


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        pytest.param(b"\x01\x05\x00\x00\x00hello", qpl.StoredLengthError, id="stored length"),
        pytest.param(b"\x4b\x04\x22\x00", qpl.ReferenceBeforeStartError, id="before the start"),
        pytest.param(b"\x07\x00", qpl.QplError, id="block type 3"),
    ],
)
def test_broken_deflate_has_an_error_of_its_own(stream: bytes, error: type[qpl.QplError]) -> None:
    with pytest.raises(error):
        qpl.decompress(stream, size=20)


def test_a_zlib_header_that_is_none_is_status_104() -> None:
    with pytest.raises(qpl.ArchiveHeaderError):
        qpl.decompress(b"\x00" + deflate(PAGE, "zlib")[1:], size=4096, format="zlib")


def test_output_beyond_the_announced_size_is_an_error() -> None:
    with pytest.raises(qpl.MoreOutputNeededError):
        qpl.decompress(deflate(PAGE), size=4095)


def test_output_short_of_the_announced_size_is_an_error() -> None:
    message = r"^libqpl: QPL_STS_OK after 4096 bytes, expected 4097: the input is truncated or corrupt$"
    with pytest.raises(qpl.ShortOutputError, match=message):
        qpl.decompress(deflate(PAGE), size=4097)


def test_a_destination_must_be_writable() -> None:
    with qpl.Job() as job, pytest.raises(TypeError, match=r"^dst is read-only \(bytes\), expected a writable buffer$"):
        job.compress_into(PAGE, bytes(5000))


def test_a_job_works_after_an_error() -> None:
    back = bytearray(4096)
    with qpl.Job() as job:
        with pytest.raises(qpl.QplError):
            job.decompress_into(b"\x07\x00", back)

        assert job.decompress_into(deflate(PAGE), back) == 4096
    assert back == PAGE


def test_a_closed_job_says_so() -> None:
    job = qpl.Job()
    job.close()

    with pytest.raises(ValueError, match=r"^Job is closed$"):
        job.compress_into(PAGE, bytearray(5000))


def test_a_job_in_two_threads_is_refused() -> None:
    job, entered, leave = qpl.Job(), threading.Event(), threading.Event()

    def hold() -> None:
        with job._exclusive():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    try:
        with pytest.raises(RuntimeError, match=r"^Job is in use by another thread; use one job per thread$"):
            job.compress_into(PAGE, bytearray(5000))
    finally:
        leave.set()
        thread.join()


def test_submit_then_wait_is_execute() -> None:
    target = bytearray(5000)
    with qpl.Job() as job:
        job.submit_compress(PAGE, target)
        size = job.wait()

    assert inflate(bytes(target[:size])) == PAGE


def test_submit_then_check_is_execute() -> None:
    target = bytearray(4096)
    with qpl.Job() as job:
        job.submit_decompress(deflate(PAGE), target)

        assert job.check() == 4096
    assert target == PAGE


def test_checking_an_operation_that_still_runs_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with qpl.Job() as job:
        job.submit_compress(PAGE, bytearray(5000))
        with monkeypatch.context() as patched:
            patched.setattr("qpl.native.NativeJob.call", lambda *_: 1)

            assert job.check() is None


def test_a_submitted_buffer_stays_where_it_is() -> None:
    target = bytearray(5000)
    with qpl.Job() as job:
        job.submit_compress(PAGE, target)

        with pytest.raises(BufferError):
            target.append(0)
        job.wait()
    target.append(0)


def test_waiting_for_nothing_is_status_7() -> None:
    with (
        qpl.Job() as job,
        pytest.raises(qpl.NotSubmittedError, match=r"^qpl_wait_job: status 7 \(QPL_STS_JOB_NOT_SUBMITTED\)$"),
    ):
        job.wait()


def test_a_second_operation_waits_for_the_first() -> None:
    with qpl.Job() as job:
        job.submit_compress(PAGE, bytearray(5000))

        with pytest.raises(RuntimeError, match=r"^Job has a submitted operation; call wait\(\) first$"):
            job.compress_into(PAGE, bytearray(5000))


def test_a_job_on_the_software_path_says_so() -> None:
    with qpl.Job("software") as job:
        assert job.path == "software"


def test_the_layout_check_names_the_field_that_is_not_where_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qpl.layout.zlib.crc32", lambda _: 7)

    message = "^libqpl: crc is [0-9]+, expected 7: refusing to use this library$"
    with pytest.raises(qpl.LayoutError, match=message):
        layout.check_layout(qpl.load())


class TestWithoutAccelerator:
    """Paths on a machine that has none; where one is, these say nothing."""

    @pytest.fixture(autouse=True)
    def _without_accelerator(self) -> None:
        try:
            qpl.Job("hardware").close()
        except qpl.InitialisationError:
            return
        pytest.skip("this machine has an accelerator; run where there is none")

    def test_hardware_is_an_error_of_initialisation(self) -> None:
        with pytest.raises(qpl.InitialisationError, match=r"^qpl_init_job: status 50[0-3] \(QPL_STS_INIT_"):
            qpl.compress(PAGE, path="hardware")

    def test_auto_works_in_software(self) -> None:
        assert inflate(qpl.compress(PAGE, path="auto")) == PAGE

    def test_auto_says_that_it_chose_software(self) -> None:
        with qpl.Job("auto") as job:
            assert job.path == "software"
