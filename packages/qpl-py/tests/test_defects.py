"""What libqpl 1.9.0 does wrong in software, one test each; a test that fails here announces a mended library."""

from __future__ import annotations

import zlib

import pytest
from samples import deflate, inflate, noise, text

import qpl
from qpl.guard import Guarded
from qpl.header import Flag, Operation, Path
from qpl.native import NativeJob

PAGE = text(4096)


@pytest.fixture(autouse=True)
def _only_this_version() -> None:
    if qpl.version() != "1.9.0":
        pytest.skip(f"libqpl is {qpl.version()}; these are facts about 1.9.0")


pytestmark = pytest.mark.libqpl


def execute_unprotected(stream: bytes, room: int) -> bytes:
    """What the library itself leaves in memory of ``room`` bytes and 64 more that it was told nothing of."""
    job = NativeJob(qpl.load(), Path.SOFTWARE)
    source, target = Guarded(len(stream)), Guarded(room + 64)
    source.view[:] = stream
    fields = job.fields
    fields.next_in_ptr, fields.available_in = source.address, len(stream)
    fields.next_out_ptr, fields.available_out = target.address, room
    fields.op, fields.flags = Operation.DECOMPRESS, Flag.FIRST | Flag.LAST | Flag.ZLIB_MODE
    assert job.call("qpl_execute_job") == 0
    assert fields.total_out == room
    return bytes(target.view[room:])


def test_the_second_zlib_compression_of_a_job_carries_the_adler32_of_the_first() -> None:
    target = bytearray(5000)
    with qpl.Job() as job:
        job.compress_into(PAGE, target, format="zlib")
        size = job.compress_into(PAGE, target, format="zlib")

    assert target[size - 4 : size] == zlib.adler32(PAGE, zlib.adler32(PAGE)).to_bytes(4, "big")
    with pytest.raises(zlib.error, match="incorrect data check"):
        inflate(bytes(target[:size]), "zlib")


def test_after_a_reset_the_adler32_is_right() -> None:
    target = bytearray(5000)
    with qpl.Job() as job:
        job.compress_into(PAGE, target, format="zlib")
        job.reset()
        size = job.compress_into(PAGE, target, format="zlib")

    assert inflate(bytes(target[:size]), "zlib") == PAGE


def test_fixed_huffman_output_depends_on_what_the_job_did_before() -> None:
    target = bytearray(5000)
    with qpl.Job() as job:
        fresh = job.compress_into(PAGE, target)
        again = job.compress_into(PAGE, target)

    assert again != fresh
    assert inflate(bytes(target[:again])) == PAGE


def test_an_error_after_64_kib_is_reported_as_success() -> None:
    data = noise(70_000)
    stream = deflate(data + data[-5000:], window=15)

    with qpl.Job() as job:
        written = job.decompress_into(stream, bytearray(80_000))

    assert 65_536 < written < 75_000


def test_truncated_input_is_reported_as_success() -> None:
    stream = deflate(PAGE)

    with qpl.Job() as job:
        written = job.decompress_into(stream[:100], bytearray(4096))

    assert 0 < written < 4096


def test_up_to_four_bytes_of_input_are_written_behind_the_destination() -> None:
    data = noise(70_000)
    stream = deflate(data, "zlib", level=0)

    behind = execute_unprotected(stream, 70_000)

    assert behind[:3] == zlib.adler32(data).to_bytes(4, "big")[:3]


def test_no_room_for_a_gzip_header_is_reported_as_success() -> None:
    with qpl.Job() as job:
        assert job.compress_into(PAGE, bytearray(9), format="gzip") == 0


def test_no_room_for_a_gzip_trailer_is_reported_as_success() -> None:
    data, target = noise(4096), bytearray(4118)

    with qpl.Job() as job:
        written = job.compress_into(data, target, format="gzip")

    assert written == 4111
    with pytest.raises(zlib.error, match="incomplete or truncated stream"):
        inflate(bytes(target[:written]), "gzip")


def test_the_one_shot_asks_for_more_room_instead() -> None:
    with pytest.raises(qpl.MoreOutputNeededError, match=r"^compress_into: status 2 \(QPL_STS_MORE_OUTPUT_NEEDED\)$"):
        qpl.compress_into(noise(4096), bytearray(4118), format="gzip")


@pytest.mark.parametrize(("size", "status"), [(32_768, 0), (32_769, 229)])
def test_verification_fails_by_itself_beyond_32_kib(size: int, status: int) -> None:
    observed = 0
    with qpl.Job() as job:
        try:
            job.compress_into(text(size), bytearray(size), verify=True)
        except qpl.QplError as problem:
            observed = problem.status

    assert observed == status


@pytest.mark.parametrize("container", ["zlib", "gzip"])
def test_a_wrong_trailer_goes_unnoticed(container: qpl.Format) -> None:
    stream = bytearray(deflate(PAGE, container))
    stream[-1] ^= 0xFF
    stream[-4] ^= 0xFF

    assert qpl.decompress(stream, size=4096, format=container) == PAGE


def test_of_two_gzip_members_one_is_read() -> None:
    member = deflate(PAGE, "gzip")

    with qpl.Job() as job:
        assert job.decompress_into(member + member, bytearray(9000), format="gzip") == 4096


def test_a_gzip_member_with_a_name_cannot_be_read() -> None:
    member = deflate(PAGE, "gzip")
    named = member[:3] + b"\x08" + member[4:10] + b"page\0" + member[10:]

    with pytest.raises(qpl.StoredLengthError):
        qpl.decompress(named, size=4096, format="gzip")


def test_reserved_gzip_flags_are_reported_as_still_being_processed() -> None:
    member = deflate(PAGE, "gzip")

    with pytest.raises(qpl.QplError, match=r"status 1 \(QPL_STS_BEING_PROCESSED\)$"):
        qpl.decompress(member[:3] + b"\xe0" + member[4:], size=4096, format="gzip")


def test_continuing_after_the_last_job_is_not_refused_as_such() -> None:
    with qpl.Job() as job:
        job.decompress_into(deflate(PAGE), bytearray(4096))

        with pytest.raises(qpl.QplError) as problem:
            job.decompress_into(deflate(PAGE), bytearray(4096), first=False)
    assert not isinstance(problem.value, qpl.NotContinuableError)


def test_zlib_decompression_leaves_no_usable_checksum() -> None:
    with qpl.Job() as job:
        job.decompress_into(deflate(PAGE, "zlib"), bytearray(4096), format="zlib")

        assert job.crc not in (zlib.crc32(PAGE), zlib.adler32(PAGE))


def test_a_dynamic_header_that_ends_too_soon_has_a_status_that_the_header_file_lacks() -> None:
    with qpl.Job() as job, pytest.raises(qpl.QplError, match=r"status 4294967295 \(not in status.h\)$"):
        job.decompress_into(bytes.fromhex("9c78daf0aba0ad71"), bytearray(4096), last=False)
