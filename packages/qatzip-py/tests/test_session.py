"""A session's life: parameters, reuse, errors, threads, and what it tells about devices."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from conftest import PAGE, TEXT
from interpreter import run_python

from qatzip import (
    LogLevel,
    OverrunError,
    QatzipError,
    Session,
    ShortOutputError,
    UnconsumedInputError,
    compress,
    compress_into,
    decompress,
    max_compressed_length,
    set_log_level,
)
from qatzip.parameters import FORMATS, Format, Parameters

pytestmark = pytest.mark.usefixtures("library")


def test_one_session_does_both_directions_again_and_again(session: Session) -> None:
    for size in (4096, 1, 70_000, 4096):
        compressed, restored = bytearray(session.max_compressed_length(size)), bytearray(size)
        consumed, produced = session.compress_into(TEXT[:size], compressed)
        assert consumed == size
        assert session.decompress_into(compressed[:produced], restored) == (produced, size)
        assert restored == TEXT[:size]


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters(level=0),
        Parameters(level=13),
        Parameters(hw_buff_sz=512),
        Parameters(hw_buff_sz=3000),
        Parameters(hw_buff_sz=1024 * 1024),
        Parameters(input_sz_thrshold=127),
        Parameters(strm_buff_sz=1023),
        Parameters(req_cnt_thrshold=33),
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused_by_the_library(parameters: Parameters) -> None:
    with pytest.raises(QatzipError) as caught:
        Session(parameters)

    assert str(caught.value) == "qzSetupSessionDeflateExt: QZ_PARAMS (-1)"


def test_hardware_is_what_the_state_says(session: Session) -> None:
    assert session.hardware == (session.state == "QZ_OK")


@pytest.mark.usefixtures("software")
class TestWithoutDevice:
    def test_a_session_says_that_there_is_none(self) -> None:
        with Session() as session:
            assert (session.hardware, session.state) == (False, "QZ_NO_HW")

    def test_without_software_backup_there_is_no_session(self) -> None:
        with pytest.raises(QatzipError) as caught:
            Session(Parameters(sw_backup=False))

        assert str(caught.value) == "qzInit: QZ_NOSW_NO_HW (-101): no QAT device that this process could start"

    @pytest.mark.parametrize("level", [10, 11, 12])
    def test_levels_above_9_are_accepted_and_then_fail(self, level: int) -> None:
        with Session(Parameters(level=level)) as session, pytest.raises(QatzipError) as caught:
            session.compress_into(PAGE, bytearray(5000))

        assert str(caught.value) == "qzCompressExt: QZ_FAIL (-2)"

    def test_the_extended_return_code_denies_that_software_did_it(self) -> None:
        with Session() as session:
            session.compress_into(PAGE, bytearray(5000))

            assert not session.ran_in_software

    def test_status_counts_no_device(self) -> None:
        with Session() as session:
            assert (session.status().qat_hw_count, session.status().algo_hw) == (0, {})


def test_a_short_destination_is_an_error_with_the_librarys_name(format: Format) -> None:
    with pytest.raises(QatzipError) as caught:
        compress_into(PAGE, bytearray(10), format=format)

    assert str(caught.value) == "qzCompressExt: QZ_FAIL (-2)"


def test_4b_output_beyond_the_destination_is_not_written() -> None:
    needed = len(compress(PAGE, format="4B"))
    destination = bytearray(needed - 1)

    with pytest.raises(OverrunError) as caught:
        compress_into(PAGE, destination, format="4B")

    assert str(caught.value) == f"qzCompressExt: QZ_OK (0) with {needed} bytes for a destination of {needed - 1}"
    assert not any(destination)


def test_truncated_input_is_short_output(format: Format) -> None:
    compressed = compress(PAGE, format=format)

    with pytest.raises(ShortOutputError, match=r"^qzDecompressExt: QZ_OK \(0\) with \d+ bytes, expected 4096$"):
        decompress(compressed[: len(compressed) // 2], format=format, size=4096)


def test_more_data_than_announced_is_unconsumed_input(format: Format) -> None:
    compressed = compress(PAGE, format=format)

    with pytest.raises(UnconsumedInputError) as caught:
        decompress(compressed, format=format, size=4000)

    assert (caught.value.produced, caught.value.available) == (4000, len(compressed))


def test_corrupt_data_with_a_checksum_is_a_data_error() -> None:
    damaged = bytearray(compress(PAGE, format="gzip"))
    damaged[-8] ^= 1

    with pytest.raises(QatzipError) as caught:
        decompress(damaged, format="gzip", size=4096)

    assert str(caught.value) == "qzDecompressExt: QZ_DATA_ERROR (-4)"


def spoil_by_corruption(session: Session, compressed: bytes) -> None:
    damaged = bytearray(compressed)
    damaged[-1] ^= 1
    with pytest.raises(QatzipError):
        session.decompress_into(damaged, bytearray(4096))


def spoil_by_truncation(session: Session, compressed: bytes) -> None:
    session.decompress_into(compressed[:300], bytearray(4096))


def spoil_by_a_short_destination(session: Session, compressed: bytes) -> None:
    session.decompress_into(compressed, bytearray(100))


Spoiler = Callable[[Session, bytes], None]
SPOILT: list[tuple[Format, Spoiler]] = [
    *((format, spoil) for format in FORMATS for spoil in (spoil_by_truncation, spoil_by_a_short_destination)),
    *((format, spoil_by_corruption) for format in FORMATS if format not in {"raw", "4B"}),
]


@pytest.mark.usefixtures("software")
@pytest.mark.parametrize(("format", "spoil"), SPOILT)
def test_a_spoilt_session_does_not_decompress_good_data(session: Session, format: Format, spoil: Spoiler) -> None:
    compressed, restored = compress(PAGE, format=format), bytearray(9000)
    spoil(session, compressed)

    with suppress(QatzipError):
        session.decompress_into(compressed, restored)

    assert restored[:4096] != PAGE


@pytest.mark.usefixtures("software")
@pytest.mark.parametrize("format", ["gzip", "gzip-ext", "zlib"])
def test_after_an_error_a_session_rejects_everything(session: Session, format: Format) -> None:
    compressed = compress(PAGE, format=format)
    spoil_by_corruption(session, compressed)

    for _ in range(3):
        with pytest.raises(QatzipError, match=r"^qzDecompressExt: QZ_DATA_ERROR \(-4\)$"):
            session.decompress_into(compressed, bytearray(4096))


def stored_block(content: bytes, size: int, final: bool) -> bytes:
    return bytes([final]) + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + content


@pytest.mark.usefixtures("software")
@pytest.mark.parametrize("format", ["raw"])
def test_after_truncated_raw_data_the_next_is_taken_for_its_rest(session: Session) -> None:
    content = b"B" * 45 + stored_block(b"evil", 4, final=True)
    good, output = stored_block(content, len(content), final=True), bytearray(len(content))
    session.decompress_into(stored_block(b"A" * 50, 100, final=False), bytearray(100))

    counts = session.decompress_into(good, output)

    assert zlib.decompress(good, -15) == content
    assert counts == (len(good), len(content))
    assert bytes(output) == good[:50] + b"evil"


@pytest.mark.usefixtures("software")
@pytest.mark.parametrize("format", ["gzip", "gzip-ext", "zlib"])
def test_a_full_destination_hides_a_wrong_checksum(session: Session, format: Format) -> None:
    damaged = bytearray(compress(PAGE + b"more", format=format))
    damaged[-1] ^= 1

    assert session.decompress_into(damaged, bytearray(4096))[1] == 4096


COUNT_KEYS = """
import ctypes, qatzip
pthread, key = ctypes.CDLL(None), ctypes.c_uint()
def next_key():
    assert pthread.pthread_key_create(ctypes.byref(key), None) == 0
    pthread.pthread_key_delete(key)
    return key.value
qatzip.load()
before = next_key()
with qatzip.Session() as session:
    for _ in range(10):
        session.compress_into(b"page", bytearray(100))
print(next_key() - before)
"""


@pytest.mark.usefixtures("software")
def test_every_call_uses_up_one_of_the_processs_thread_specific_keys() -> None:
    assert run_python(COUNT_KEYS) == "11\n"


@pytest.mark.parametrize(("format", "spoil"), SPOILT)
def test_reset_makes_a_spoilt_session_good(session: Session, format: Format, spoil: Spoiler) -> None:
    compressed, restored = compress(PAGE, format=format), bytearray(4096)
    spoil(session, compressed)

    session.reset()

    assert session.decompress_into(compressed, restored) == (len(compressed), 4096)
    assert restored == PAGE


def test_a_session_compresses_on_after_a_short_destination(session: Session, format: Format) -> None:
    with pytest.raises(QatzipError):
        session.compress_into(PAGE, bytearray(10))
    destination = bytearray(5000)

    produced = session.compress_into(PAGE, destination)[1]

    assert decompress(destination[:produced], format=format, size=4096) == PAGE


@pytest.mark.parametrize("format", ["gzip", "gzip-ext", "raw", "zlib"])
def test_without_last_the_next_call_continues_the_output(session: Session, format: Format) -> None:
    first, second = bytearray(5000), bytearray(5000)
    head = session.compress_into(TEXT[:4096], first, last=False)[1]
    tail = session.compress_into(TEXT[4096:8192], second)[1]

    assert decompress(first[:head] + second[:tail], format=format, size=8192) == TEXT[:8192]


@pytest.mark.parametrize("format", ["raw", "gzip", "gzip-ext"])
def test_the_checksum_variant_gives_the_crc_of_the_input(session: Session, format: Format) -> None:
    consumed, _, checksum = session.compress_crc_into(PAGE, bytearray(5000))

    assert (consumed, checksum) == (4096, zlib.crc32(PAGE))


@pytest.mark.usefixtures("software")
@pytest.mark.parametrize("format", ["gzip", "gzip-ext"])
def test_the_checksum_is_wrong_beyond_a_buffer(session: Session, format: Format) -> None:
    checksum = session.compress_crc_into(TEXT, bytearray(300_000))[2]

    assert checksum != zlib.crc32(TEXT)


@pytest.mark.usefixtures("software")
def test_decompression_leaves_the_checksum_alone() -> None:
    with Session() as session:
        assert session.decompress_crc_into(compress(PAGE), bytearray(4096), crc=7)[2] == 7


def test_stop_at_stream_end_leaves_the_second_member(format: Format) -> None:
    member = compress(PAGE, format=format)

    with Session(Parameters(format=format, stop_at_stream_end=True)) as session:
        assert session.decompress_into(member * 2, bytearray(9000)) == (len(member), 4096)


def test_a_closed_session_says_so() -> None:
    session = Session()
    session.close()
    session.close()

    with pytest.raises(ValueError, match=r"^the session is closed$"):
        session.compress_into(PAGE, bytearray(5000))


def test_closing_one_session_leaves_the_others(session: Session) -> None:
    Session().close()

    assert session.compress_into(PAGE, bytearray(5000))[0] == 4096


def test_threads_share_a_session_by_turns_and_have_their_own_at_once() -> None:
    wrong: list[int] = []
    with Session() as shared:

        def work(number: int) -> None:
            content = TEXT[number * 100 : number * 100 + 20_000]
            with Session() as own:
                for used in (own, shared) * 20:
                    destination, restored = bytearray(25_000), bytearray(20_000)
                    produced = used.compress_into(content, destination)[1]
                    own.decompress_into(destination[:produced], restored)
                    if restored != content:
                        wrong.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wrong == []


@pytest.mark.parametrize("size", [-1, 4_000_000_000, 2**32])
def test_sizes_whose_bound_does_not_fit_are_refused(size: int) -> None:
    with pytest.raises(ValueError) as caught:
        max_compressed_length(size)

    assert str(caught.value) == f"size is {size}, expected 0 to 4 GiB - 1 with room for its compressed form"


def test_the_log_is_silent_unless_asked_for() -> None:
    before = set_log_level(LogLevel.ERROR)

    assert (before, set_log_level(LogLevel.NONE)) == (LogLevel.NONE, LogLevel.ERROR)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        decompress(compress(PAGE), size=4096)

    assert capfd.readouterr() == ("", "")
