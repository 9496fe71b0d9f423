"""The QuickAssist emulator: what a device puts on the wire, what it can read, and what goes to software instead."""

from __future__ import annotations

import zlib
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.codec import create
from multifd.codec.qat_emulated import Effort, _QatCodec
from multifd.codec.silicon.libqatzip import Answer, Device, Parameters, Session
from multifd.codec.silicon.libqatzip_routing import most_deflate
from multifd.codec.silicon.qat import Engine
from multifd.codec.silicon.qat_member import PLAIN_GZIP, gzip_footer, member
from multifd.errors import InputError, PayloadError
from multifd.framing.coder import Codec, Routed, compressor_of, decompressor_of
from multifd.framing.container import Container, gzip_ext_header, parse, trailer
from multifd.framing.deflate import walk
from tests.codec.deflates import empty_dynamic_block

KIB: Final = 1 << 10
PIECE: Final = 64 * KIB
TEXT: Final = b"".join(b"page %d of some text; " % (number * number) for number in range(30_000))[: 512 * KIB]
NOISE: Final = b"".join(zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") for number in range(PIECE // 4))
CONTAINERS: Final = (Container.GZIP_EXT, Container.GZIP, Container.RAW, Container.FOUR_B, Container.ZLIB)
MEMBERED: Final = (Container.GZIP_EXT, Container.GZIP, Container.FOUR_B, Container.ZLIB)
NAMED_GZIP: Final = b"\x1f\x8b\x08\x08\0\0\0\0\0\3name\0"
"""A header with a file name, which libqatzip does not write."""
WBITS: Final = {Container.GZIP: 31, Container.GZIP_EXT: 31, Container.ZLIB: 15}


def codec(**parameters: int) -> _QatCodec:
    made = create("qat-emulated", parameters)
    assert isinstance(made, _QatCodec)
    return made


def session(container: Container = Container.GZIP_EXT, **parameters: Any) -> Session:
    settled = Parameters(container=container, **parameters)
    return Session(settled, Engine(settled.level, strict=not settled.backup))


def by_device(data: bytes, container: Container, **parameters: Any) -> bytes:
    return session(container, **parameters).compress(data).output


def by_software(data: bytes, container: Container, **parameters: Any) -> bytes:
    return session(container, device=Device.ABSENT, **parameters).compress(data).output


def split(payload: bytes) -> list[bytes]:
    """The members of gzip-ext, by the sizes in their headers."""
    found = []
    while payload:
        header = parse(payload, Container.GZIP_EXT)
        assert header.payload_size is not None
        size = header.length + header.payload_size + 8
        found.append(payload[:size])
        payload = payload[size:]
    return found


def members(payload: bytes, container: Container) -> list[bytes]:
    """What each member decodes to, by zlib."""
    found = []
    while payload:
        header = 4 if container is Container.FOUR_B else 0
        stream = zlib.decompressobj(WBITS.get(container, -15))
        found.append(stream.decompress(payload[header:]))
        assert stream.eof
        payload = stream.unused_data
    return found


def refusal(codec: _QatCodec, data: bytes, container: Container, size: int) -> str:
    with pytest.raises(PayloadError) as caught:
        codec.decompress(data, container, size)
    return str(caught.value)


# --- what a device writes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("container", MEMBERED)
def test_every_64_kib_are_a_member(container: Container) -> None:
    data = TEXT[: 2 * PIECE + 4 * KIB]

    payload = bytes(codec().compress(data, container, 15))

    assert [len(part) for part in members(payload, container)] == [PIECE, PIECE, 4 * KIB]


@pytest.mark.parametrize("container", MEMBERED)
def test_the_buffer_is_the_size_of_a_member(container: Container) -> None:
    payload = bytes(codec(buffer=16).compress(TEXT[:PIECE], container, 15))

    assert [len(part) for part in members(payload, container)] == [16 * KIB] * 4


def test_raw_is_one_stream_with_a_full_flush_between_pieces() -> None:
    payload = bytes(codec().compress(TEXT[: 2 * PIECE], Container.RAW, 15))
    blocks = walk(payload).blocks

    (first,) = members(payload, Container.RAW)

    assert first == TEXT[: 2 * PIECE]
    assert [block.final for block in blocks].count(True) == 1
    assert [block.kind for block in blocks if not block.output] == ["stored"]


@pytest.mark.parametrize(
    ("container", "header"),
    [
        (Container.GZIP, "1f8b08000000000000ff"),
        (Container.ZLIB, "789c"),
    ],
)
@pytest.mark.parametrize("level", [1, 6, 9])
def test_a_devices_headers_are_the_same_at_every_level(container: Container, header: str, level: int) -> None:
    payload = by_device(TEXT[:4096], container, level=level)

    assert payload.startswith(bytes.fromhex(header))


@pytest.mark.parametrize("level", [1, 6, 9])
def test_a_devices_gzip_ext_header_has_no_extra_flags_and_both_sizes(level: int) -> None:
    payload = by_device(TEXT[:4096], Container.GZIP_EXT, level=level)

    header = parse(payload, Container.GZIP_EXT)

    assert (header.xfl, header.os, header.source_size) == (0, 255, 4096)
    assert header.payload_size == len(payload) - header.length - 8


@pytest.mark.parametrize(
    ("container", "level", "header"),
    [
        (Container.GZIP, 1, "1f8b0800000000000403"),
        (Container.GZIP, 6, "1f8b0800000000000003"),
        (Container.GZIP, 9, "1f8b0800000000000203"),
        (Container.GZIP_EXT, 1, "1f8b08040000000004ff0c00515a0800"),
        (Container.GZIP_EXT, 6, "1f8b08040000000000ff0c00515a0800"),
        (Container.GZIP_EXT, 9, "1f8b08040000000002ff0c00515a0800"),
        (Container.ZLIB, 1, "7801"),
    ],
)
def test_softwares_headers_are_zlibs(container: Container, level: int, header: str) -> None:
    payload = by_software(TEXT[:4096], container, level=level)

    assert payload.startswith(bytes.fromhex(header))


def test_software_is_zlib_with_all_its_memory() -> None:
    letters = bytes(byte & 63 for byte in NOISE)
    stream = zlib.compressobj(1, zlib.DEFLATED, -15, memLevel=9)

    assert by_software(letters, Container.RAW) == stream.compress(letters) + stream.flush()


@pytest.mark.parametrize("container", CONTAINERS)
def test_software_makes_one_member_of_everything(container: Container) -> None:
    assert members(by_software(TEXT, container), container) == [TEXT]


@pytest.mark.parametrize("backup", [0, 1])
def test_inputs_below_the_threshold_are_compressed_in_software_even_without_backup(backup: int) -> None:
    made = codec(backup=backup)

    short = bytes(made.compress(TEXT[:1023], Container.GZIP, 15))
    long = bytes(made.compress(TEXT[:1024], Container.GZIP, 15))

    assert (parse(short, Container.GZIP).os, parse(long, Container.GZIP).os) == (3, 255)
    assert made.effort == Effort(hardware=1, software=1)


def test_incompressible_pages_do_not_grow_beyond_what_a_request_has_room_for() -> None:
    made = codec()

    payload = made.compress(NOISE, Container.RAW, 15)

    assert len(NOISE) < len(payload) <= most_deflate(len(NOISE))
    assert made.effort == Effort(hardware=1)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 4096, PIECE - 1, PIECE, PIECE + 1, 512 * KIB])
def test_it_reads_what_it_writes(container: Container, size: int) -> None:
    made = codec()

    payload = made.compress(TEXT[:size], container, 15)

    assert bytes(made.decompress(payload, container, size)) == TEXT[:size]


@settings(max_examples=50)
@given(
    data=st.binary(max_size=9000),
    container=st.sampled_from(CONTAINERS),
    buffer=st.sampled_from([1, 4, 64]),
    threshold=st.sampled_from([128, 1024]),
    raw=st.sampled_from([0, 1]),
    timeout=st.integers(2, 5),
)
def test_every_setting_reads_what_the_same_setting_writes(
    data: bytes, container: Container, buffer: int, threshold: int, raw: int, timeout: int
) -> None:
    made = codec(buffer=buffer, threshold=threshold, raw=raw, timeout=timeout)

    payload = made.compress(data, container, 15)

    assert bytes(made.decompress(payload, container, len(data))) == data


# --- what is told of it ---------------------------------------------------------------------------------------


def told(codec: Codec) -> tuple[str, int | None, int]:
    assert isinstance(codec, Routed)
    tally = codec.tally()
    return tally.unit, tally.device, tally.software


def test_jobs_are_told_and_calls_of_which_software_did_all() -> None:
    made = codec()

    made.compress(TEXT[: 2 * PIECE], Container.GZIP_EXT, 15)
    made.compress(TEXT[:1023], Container.GZIP_EXT, 15)

    assert told(made) == ("jobs", 2, 1)


def test_a_request_that_hangs_is_no_job() -> None:
    made = codec(timeout=2)

    made.compress(TEXT[: 2 * PIECE], Container.GZIP_EXT, 15)

    assert told(made) == ("jobs", 1, 0)


def test_of_a_call_that_the_device_refused_the_library_does_not_say_that_software_did_it() -> None:
    made = codec()

    made.decompress(by_software(TEXT, Container.GZIP_EXT), Container.GZIP_EXT, len(TEXT))

    assert (told(made), made.effort) == (("jobs", 0, 0), Effort(software=1))


def test_without_a_device_there_is_nothing_to_tell() -> None:
    made = codec(device=0)

    made.compress(TEXT, Container.GZIP_EXT, 15)

    assert told(made) == ("jobs", None, 0)


# --- what a device reads ------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_page_is_decompressed_by_the_device(container: Container) -> None:
    made = codec(threshold=128)

    made.decompress(by_device(TEXT[:4096], container), container, 4096)

    assert made.effort == Effort(hardware=1)


def test_a_packet_of_gzip_ext_is_as_many_requests_as_members() -> None:
    made = codec()

    made.decompress(by_device(TEXT, Container.GZIP_EXT), Container.GZIP_EXT, len(TEXT))

    assert made.effort == Effort(hardware=8)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_member_of_more_than_64_kib_goes_to_software(container: Container) -> None:
    made = codec()

    output = made.decompress(by_software(TEXT, container), container, len(TEXT))

    assert bytes(output) == TEXT
    assert made.effort == Effort(software=1)


def test_from_the_first_member_that_is_too_large_all_goes_to_software() -> None:
    small, large = TEXT[:4096], TEXT[: PIECE + 1]
    payload = by_device(small, Container.GZIP_EXT) + by_software(large, Container.GZIP_EXT)
    made = codec()

    output = made.decompress(2 * payload, Container.GZIP_EXT, 2 * len(small + large))

    assert bytes(output) == 2 * (small + large)
    assert made.effort == Effort(hardware=1, software=1)


@pytest.mark.parametrize(("size", "effort"), [(1023, Effort(software=1)), (1024, Effort(hardware=1))])
def test_gzip_ext_below_the_threshold_goes_to_software_by_the_size_in_its_header(size: int, effort: Effort) -> None:
    made = codec()

    made.decompress(by_device(TEXT[:size], Container.GZIP_EXT, threshold=128), Container.GZIP_EXT, size)

    assert made.effort == effort


def test_raw_below_the_threshold_goes_to_software_by_its_compressed_size() -> None:
    payload = by_device(TEXT[:4096], Container.RAW)
    at_threshold, below = codec(threshold=len(payload)), codec(threshold=len(payload) + 1)

    at_threshold.decompress(payload, Container.RAW, 4096)
    below.decompress(payload, Container.RAW, 4096)

    assert (at_threshold.effort, below.effort) == (Effort(hardware=1), Effort(software=1))


def test_older_releases_decompress_raw_in_software() -> None:
    made = codec(raw=0, threshold=128)

    made.decompress(by_device(TEXT[:4096], Container.RAW), Container.RAW, 4096)

    assert made.effort == Effort(software=1)


@pytest.mark.parametrize(
    ("at", "value", "effort"),
    [
        (4, 1, Effort(hardware=1)),  # modification time
        (8, 2, Effort(hardware=1)),  # extra flags of zlib at level 9
        (8, 4, Effort(hardware=1)),  # ... at level 1
        (8, 3, Effort(software=1)),
        (9, 3, Effort(software=1)),  # operating system
    ],
)
def test_gzip_ext_is_for_the_device_if_libqatzip_may_have_written_it(at: int, value: int, effort: Effort) -> None:
    payload = bytearray(by_device(TEXT[:4096], Container.GZIP_EXT))
    payload[at] = value
    made = codec()

    assert bytes(made.decompress(bytes(payload), Container.GZIP_EXT, 4096)) == TEXT[:4096]
    assert made.effort == effort


def test_the_largest_deflate_for_a_device_is_nine_eighths_of_its_buffer_and_a_kibibyte() -> None:
    assert most_deflate(PIECE) == 74_752


@pytest.mark.parametrize(("behind", "footer"), [(5, 31), (6, 22)])
def test_the_next_gzip_header_is_searched_where_it_has_room(behind: int, footer: int) -> None:
    assert gzip_footer(bytes(30) + PLAIN_GZIP + bytes(behind)) == footer


def test_a_gzip_header_that_is_not_libqatzips_goes_to_software() -> None:
    named = NAMED_GZIP + by_device(TEXT[:4096], Container.GZIP)[10:]
    made = codec()

    assert bytes(made.decompress(named, Container.GZIP, 4096)) == TEXT[:4096]
    assert made.effort == Effort(software=1)


def test_data_that_looks_like_a_gzip_header_ends_a_member_for_the_device() -> None:
    stored = zlib.compressobj(0, zlib.DEFLATED, 31)
    plain = bytes(100) + b"\x1f\x8b\x08\0" + bytes(4000)
    payload = stored.compress(plain) + stored.flush()

    assert zlib.decompress(payload, 31) == plain
    assert refusal(codec(), payload, Container.GZIP, len(plain)) == "qat-emulated: qzDecompress failed: QZ_FAIL"


def test_a_second_zlib_stream_is_left_unread_with_success() -> None:
    stream = by_device(TEXT[:4096], Container.ZLIB)

    answer = session(Container.ZLIB).decompress(2 * stream, 8192)

    assert answer == Answer("QZ_OK", len(stream), TEXT[:4096])


def test_zlib_with_more_output_than_a_buffer_is_short_with_success() -> None:
    zeros = zlib.compress(bytes(2 * PIECE))

    answer = session(Container.ZLIB).decompress(zeros, 2 * PIECE)

    assert (answer.code, len(answer.output)) == ("QZ_OK", PIECE)


def test_a_caller_who_goes_on_gets_all_of_both() -> None:
    payload = by_device(TEXT[:4096], Container.ZLIB) + zlib.compress(bytes(2 * PIECE))

    assert bytes(codec().decompress(payload, Container.ZLIB, 4096 + 2 * PIECE)) == TEXT[:4096] + bytes(2 * PIECE)


def test_a_4b_member_needs_the_room_of_a_whole_buffer() -> None:
    payload = by_device(TEXT[: 2 * PIECE], Container.FOUR_B, buffer=32 * KIB)

    answer = session(Container.FOUR_B).decompress(payload, 2 * PIECE)

    assert (answer.code, answer.output) == ("QZ_BUF_ERROR", TEXT[:PIECE])


def test_a_session_that_has_seen_plain_gzip_writes_plain_gzip_from_then_on() -> None:
    used = session(Container.GZIP_EXT)

    before = used.compress(TEXT[:4096]).output
    used.decompress(by_device(TEXT[:4096], Container.GZIP), 4096)
    after = used.compress(TEXT[:4096]).output

    assert (before[3], after[3]) == (4, 0)


def test_a_short_output_is_continued_by_the_next_call() -> None:
    used = session(device=Device.ABSENT)
    payload = by_software(TEXT[:4096], Container.GZIP_EXT)

    first = used.decompress(payload, 4000)
    second = used.decompress(payload[first.consumed :], 4096)

    assert (first.code, first.output + second.output) == ("QZ_OK", TEXT[:4096])


def test_what_software_began_it_finishes_although_there_is_a_device() -> None:
    used = session(Container.GZIP)
    payload = NAMED_GZIP + by_device(TEXT[:4096], Container.GZIP)[10:]

    first = used.decompress(payload, 2000)
    second = used.decompress(payload[first.consumed :], 2096)

    assert first.output + second.output == TEXT[:4096]
    assert used.engine.requests == 0


def test_the_end_of_a_stream_is_that_of_the_last_call() -> None:
    used = session()
    payload = by_device(TEXT[:4096], Container.GZIP_EXT)

    seen = [(used.decompress(data, 4096).code, used.ended) for data in (payload, payload[:-1], payload, b"")]

    assert seen == [("QZ_OK", True), ("QZ_DATA_ERROR", False), ("QZ_OK", True), ("QZ_OK", True)]


def test_after_an_error_software_refuses_everything() -> None:
    used = session(device=Device.ABSENT)

    first = used.decompress(b"no gzip", 4096)
    second = used.decompress(by_software(TEXT[:4096], Container.GZIP_EXT), 4096)

    assert (first.code, second.code) == ("QZ_DATA_ERROR", "QZ_DATA_ERROR")


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("device", [0, 1])
def test_every_prefix_is_refused(container: Container, device: int) -> None:
    made = codec(device=device)
    payload = by_device(TEXT[:4096], container)

    for size in range(len(payload)):
        refusal(made, payload[:size], container, 4096)


@pytest.mark.parametrize(
    ("container", "checksum"), [(Container.GZIP_EXT, -8), (Container.GZIP, -8), (Container.ZLIB, -4)]
)
def test_a_wrong_checksum_is_not_tried_again_in_software(container: Container, checksum: int) -> None:
    payload = bytearray(by_device(TEXT[:4096], container))
    made = codec()

    payload[checksum] ^= 1
    message = refusal(made, bytes(payload), container, 4096)

    assert message == "qat-emulated: qzDecompress failed: QZ_DATA_ERROR"
    assert made.effort == Effort(hardware=1)


def test_what_the_device_refuses_is_tried_in_software_and_fails_there_too() -> None:
    payload = gzip_ext_header(4096, 2000) + bytes([7]) * 2000 + trailer(0, 4096)
    made = codec()

    assert refusal(made, payload, Container.GZIP_EXT, 4096) == "qat-emulated: qzDecompress failed: QZ_FAIL"
    assert made.effort == Effort(hardware=1, software=1)


def test_more_than_asked_for_is_refused() -> None:
    payload = by_device(TEXT[:4096], Container.GZIP_EXT)

    message = refusal(codec(), payload, Container.GZIP_EXT, 4095)

    assert message == "qat-emulated: qzDecompress failed: QZ_BUF_ERROR: more than the expected 4095 bytes"


def test_a_byte_is_more_than_none() -> None:
    message = refusal(codec(), by_software(b"!", Container.GZIP_EXT), Container.GZIP_EXT, 0)

    assert message == "qat-emulated: qzDecompress failed: more than the expected 0 bytes"


def test_bytes_behind_the_last_member_are_refused() -> None:
    payload = by_software(TEXT[:4096], Container.ZLIB) + b"!"

    message = refusal(codec(device=0), payload, Container.ZLIB, 4096)

    assert message == (
        "qat-emulated[device=0]: qzDecompress failed: more than the expected 4096 bytes, 1 bytes of input left"
    )


def test_a_stream_without_its_end_is_refused_although_all_pages_are_there() -> None:
    payload = by_software(TEXT[:4096], Container.GZIP_EXT)

    message = refusal(codec(device=0), payload[:-1], Container.GZIP_EXT, 4096)

    assert message == "qat-emulated[device=0]: qzDecompress failed: incomplete or truncated stream"


# --- without a device, without software ---------------------------------------------------------------------


@pytest.mark.parametrize(("device", "code"), [(0, "QZ_NOSW_NO_HW"), (2, "QZ_NOSW_LOW_MEM")])
def test_without_backup_the_library_says_what_is_missing(device: int, code: str) -> None:
    made = codec(device=device, backup=0)
    name = f"qat-emulated[backup=0,device={device}]"

    with pytest.raises(PayloadError) as caught:
        made.compress(TEXT[:4096], Container.GZIP_EXT, 15)

    assert str(caught.value) == f"{name}: qzCompress failed: {code}"
    assert (
        refusal(made, by_device(TEXT[:4096], Container.GZIP_EXT), Container.GZIP_EXT, 4096)
        == f"{name}: qzDecompress failed: {code}"
    )


@pytest.mark.parametrize("device", [0, 2])
def test_with_backup_everything_is_done_in_software(device: int) -> None:
    made = codec(device=device)

    payload = made.compress(TEXT, Container.GZIP_EXT, 15)
    made.decompress(payload, Container.GZIP_EXT, len(TEXT))

    assert members(bytes(payload), Container.GZIP_EXT) == [TEXT]
    assert made.effort == Effort(software=2)


def test_without_backup_a_packet_that_software_made_cannot_be_read() -> None:
    made = codec(backup=0)

    message = refusal(made, by_software(TEXT, Container.GZIP_EXT), Container.GZIP_EXT, len(TEXT))

    assert message == "qat-emulated[backup=0]: qzDecompress failed: QZ_FAIL"


def test_without_backup_that_shows() -> None:
    stored = b"\0" + (2000).to_bytes(2, "little") + (2000 ^ 0xFFFF).to_bytes(2, "little") + TEXT[:2000]
    payload = member(Container.GZIP_EXT, TEXT[:2000], stored + empty_dynamic_block())

    assert bytes(codec().decompress(payload, Container.GZIP_EXT, 2000)) == TEXT[:2000]
    assert refusal(codec(backup=0), payload, Container.GZIP_EXT, 2000).endswith("qzDecompress failed: QZ_FAIL")


# --- requests that hang -------------------------------------------------------------------------------------


def test_a_request_that_hangs_is_compressed_by_software_as_a_member_of_its_own() -> None:
    made = codec(timeout=2)

    payload = bytes(made.compress(TEXT[: 3 * PIECE], Container.GZIP, 15))

    assert members(payload, Container.GZIP) == [TEXT[:PIECE], TEXT[PIECE : 2 * PIECE], TEXT[2 * PIECE : 3 * PIECE]]
    assert made.effort == Effort(hardware=2, software=1, timeouts=1)


def test_in_raw_it_ends_the_stream_early() -> None:
    payload = bytes(codec(timeout=2).compress(TEXT[: 3 * PIECE], Container.RAW, 15))

    assert members(payload, Container.RAW) == [TEXT[: 2 * PIECE], TEXT[2 * PIECE : 3 * PIECE]]


def test_a_request_that_hangs_is_decompressed_by_software() -> None:
    made = codec(timeout=2)

    output = made.decompress(by_device(TEXT, Container.GZIP_EXT), Container.GZIP_EXT, len(TEXT))

    assert bytes(output) == TEXT
    assert made.effort == Effort(hardware=4, software=4, timeouts=4)


def test_without_backup_a_request_that_hangs_is_an_error() -> None:
    with pytest.raises(PayloadError) as caught:
        codec(timeout=1, backup=0).compress(TEXT[:4096], Container.GZIP_EXT, 15)

    assert str(caught.value) == "qat-emulated[backup=0,timeout=1]: qzCompress failed: QZ_FAIL"


# --- verification that fails ----------------------------------------------------------------------------------


def test_a_compression_that_fails_verification_is_repeated_by_software() -> None:
    made = codec(verify=2)

    payload = bytes(made.compress(TEXT[: 3 * PIECE], Container.GZIP_EXT, 15))

    assert [parse(each, Container.GZIP_EXT).xfl for each in split(payload)] == [0, 4, 0]
    assert members(payload, Container.GZIP_EXT) == [TEXT[at : at + PIECE] for at in range(0, 3 * PIECE, PIECE)]
    assert made.effort == Effort(hardware=3, software=1)


def test_without_backup_a_failed_verification_is_an_error() -> None:
    with pytest.raises(PayloadError, match="qzCompress failed: QZ_FAIL"):
        codec(verify=1, backup=0).compress(TEXT[:4096], Container.GZIP_EXT, 15)


def test_a_failed_verification_with_recovery_is_stored_blocks_by_the_device() -> None:
    made = codec(verify=2, recover=1)

    payload = bytes(made.compress(TEXT[: 3 * PIECE], Container.RAW, 15))

    assert members(payload, Container.RAW) == [TEXT[: 3 * PIECE]]
    assert sum(block.output for block in walk(payload).blocks if block.kind == "stored") == PIECE
    assert made.effort == Effort(hardware=3)


# --- streams --------------------------------------------------------------------------------------------------

STREAMED: Final = {Container.ZLIB: 15, Container.RAW: -15, Container.GZIP: 31}
PACKETS: Final = [TEXT[:4096], TEXT, bytes(4096), NOISE, TEXT[:12288]]


@pytest.mark.parametrize("device", list(Device))
@pytest.mark.parametrize("container", STREAMED)
def test_a_stream_that_it_writes_can_be_followed_packet_by_packet(container: Container, device: Device) -> None:
    writer = compressor_of(codec(stream=1, device=device), container, 15)
    reader = zlib.decompressobj(STREAMED[container])

    assert [reader.decompress(writer.compress(each) + writer.sync()) for each in PACKETS] == PACKETS


def test_no_match_in_its_stream_reaches_back_before_a_flush() -> None:
    writer = compressor_of(codec(stream=1), Container.RAW, 15)

    stream = b"".join(writer.compress(TEXT[:4096]) for _ in range(8))

    assert walk(stream).max_distance < 4096


def flushed(packets: list[bytes], container: Container) -> list[bytes]:
    stream = zlib.compressobj(6, zlib.DEFLATED, STREAMED[container])
    return [stream.compress(each) + stream.flush(zlib.Z_SYNC_FLUSH) for each in packets]


@pytest.mark.parametrize("collect", [1, 64, 2043])
@pytest.mark.parametrize("container", STREAMED)
def test_a_stream_that_never_ends_is_read_by_software(container: Container, collect: int) -> None:
    made = codec(stream=1, collect=collect)
    reader = decompressor_of(made, container)

    read = [bytes(reader.decompress(p, len(d))) for p, d in zip(flushed(PACKETS, container), PACKETS, strict=True)]

    assert (read, reader.ended) == (PACKETS, False)
    assert made.effort.software >= len(PACKETS)


def test_a_device_is_asked_once_and_refuses_a_request_without_an_end() -> None:
    made = codec(stream=1)
    reader = decompressor_of(made, Container.ZLIB)

    for packet in flushed([TEXT[:4096]] * 3, Container.ZLIB):
        reader.decompress(packet, 4096)

    assert made.effort == Effort(hardware=1, software=3)


def test_without_backup_no_stream_is_read_that_does_not_end() -> None:
    made = codec(stream=1, backup=0)
    reader = decompressor_of(codec(stream=1), Container.ZLIB)

    assert made.decoder.streaming is False
    assert bytes(reader.decompress(zlib.compress(TEXT[:4096]), 4096)) == TEXT[:4096]
    assert reader.ended
    with pytest.raises(PayloadError, match="qzDecompressStream failed: QZ_FAIL"):
        decompressor_of(made, Container.ZLIB).decompress(flushed(PACKETS, Container.ZLIB)[0], 4096)


def test_more_of_a_stream_than_asked_for_is_refused() -> None:
    with pytest.raises(PayloadError, match="qzDecompressStream failed: more than the expected 100 bytes"):
        decompressor_of(codec(stream=1), Container.ZLIB).decompress(flushed(PACKETS, Container.ZLIB)[0], 100)


# --- the codec ----------------------------------------------------------------------------------------------


def test_it_says_that_it_is_an_emulated_qat() -> None:
    made = codec()

    assert (made.provenance, made.device, made.version) == ("emulated", "QAT", "2.0.0")


@pytest.mark.parametrize(("device", "member"), [(0, None), (1, PIECE), (2, None)])
def test_only_a_device_begins_new_members(device: int, member: int | None) -> None:
    assert codec(device=device).encoder.member == member


@pytest.mark.parametrize(("device", "whole_below"), [(0, 0), (1, 128 * KIB), (2, 0)])
def test_only_a_device_has_a_threshold_below_which_there_is_one_member(device: int, whole_below: int) -> None:
    assert codec(device=device, threshold=128 * KIB).encoder.whole_below == whole_below


@pytest.mark.parametrize("backup", [0, 1])
def test_below_the_threshold_software_writes_one_member_with_backup_or_without(backup: int) -> None:
    made = codec(buffer=8, threshold=PIECE, backup=backup)

    for size in (PIECE - 1, PIECE):
        found = members(bytes(made.compress(TEXT[:size], Container.GZIP_EXT, 15)), Container.GZIP_EXT)
        assert len(found) == made.encoder.members(size, Container.GZIP_EXT)
    assert made.encoder.members(PIECE - 1, Container.GZIP_EXT) == 1


def test_a_buffer_is_a_power_of_two() -> None:
    with pytest.raises(InputError) as caught:
        codec(buffer=48)

    assert (
        str(caught.value) == "codec qat-emulated: buffer is 48; expected one of 1, 2, 4, 8, 16, 32, 64, 128, 256, 512"
    )
