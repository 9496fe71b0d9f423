"""The Kunpeng emulator: what UADK's driver writes and what it looks at; nothing without a device."""

from __future__ import annotations

import zlib
from typing import Final

import pytest

from multifd.codec import create
from multifd.codec.uadk_emulated import _UadkCodec
from multifd.errors import PayloadError
from multifd.framing.container import Container
from multifd.framing.deflate import walk
from multifd.framing.encode import PayloadEncoder
from multifd.framing.model import framing

PAGE: Final = 4096
LARGE_PAGE: Final = 64 << 10
TEXT: Final = (b"all work and no play makes a dull page, " * 103)[:PAGE]
NOISE: Final = b"".join(zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") for number in range(1024))


def codec(**parameters: int) -> _UadkCodec:
    made = create("uadk-emulated", parameters)
    assert isinstance(made, _UadkCodec)
    return made


def refusal(codec: _UadkCodec, data: bytes, size: int = PAGE) -> str:
    with pytest.raises(PayloadError) as caught:
        codec.decompress(data, Container.ZLIB, size)
    return str(caught.value)


def payload(codec: _UadkCodec, page: bytes) -> list[bytes]:
    """The uadk method's payload for one page: length table, page."""
    encoder = PayloadEncoder(framing("uadk"), codec, PAGE)
    return [bytes(memoryview(part)) for part in encoder.encode(memoryview(page))]


def test_it_says_that_it_is_an_emulated_kunpeng() -> None:
    made = codec()

    assert (made.provenance, made.device) == ("emulated", "Kunpeng")


def test_a_page_is_a_zlib_stream_with_the_drivers_header() -> None:
    stream = bytes(codec().compress(TEXT, Container.ZLIB, 15))

    assert stream.startswith(b"\x78\x9c")
    assert zlib.decompress(stream) == TEXT


def test_distances_stay_within_4_kib_although_the_header_announces_32() -> None:
    half = NOISE + TEXT
    stream = bytes(codec().compress(half * 8, Container.ZLIB, 15))

    assert walk(stream, start=2).max_distance <= PAGE


def test_a_page_that_does_not_shrink_travels_raw() -> None:
    assert payload(codec(), NOISE) == [PAGE.to_bytes(4, "big"), NOISE]


def test_without_a_device_every_page_travels_raw() -> None:
    made = codec(device=0)

    assert not made.encoder.shrinks
    assert payload(made, TEXT) == [PAGE.to_bytes(4, "big"), TEXT]
    assert made.hardware == 0


def test_without_a_device_no_compressed_page_is_read() -> None:
    message = refusal(codec(device=0), zlib.compress(TEXT))

    assert message == "uadk-emulated[device=0]: UADK HW not available for decompression"


def test_it_reads_zlib_of_any_level_and_window() -> None:
    made = codec()

    for level in range(10):
        for window in range(9, 16):
            stream = zlib.compressobj(level, zlib.DEFLATED, window)
            data = stream.compress(TEXT) + stream.flush()
            assert made.decompress(data, Container.ZLIB, PAGE) == TEXT


def test_two_bytes_are_skipped_whatever_they_are() -> None:
    assert codec().decompress(b"\xff\xff" + zlib.compress(TEXT)[2:], Container.ZLIB, PAGE) == TEXT


def test_a_wrong_checksum_is_not_noticed() -> None:
    made = codec()

    assert made.decompress(zlib.compress(TEXT)[:-4] + b"\0\0\0\0", Container.ZLIB, PAGE) == TEXT
    assert not made.decoder.checks_trailer


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zlib.compress(TEXT)[:-1], "incomplete or truncated stream"),
        (zlib.compress(TEXT)[:-20], "incomplete or truncated stream"),
        (b"", "incomplete or truncated stream"),
        (zlib.compress(TEXT + b"!"), "more than the expected 4096 bytes"),
        (b"\x78\x9c\x07", "Error -3 while decompressing data: invalid block type"),
        (bytes((8 << 20) + 1), "input is 8388609 bytes, expected at most 8388608"),
    ],
)
def test_every_other_defect_is_a_bad_parameter(data: bytes, why: str) -> None:
    assert refusal(codec(), data) == f"uadk-emulated: wd_do_comp_sync failed: WD_IN_EPARA: {why}"


def test_pages_are_counted_that_the_device_worked_on() -> None:
    made = codec()

    made.decompress(made.compress(TEXT, Container.ZLIB, 15), Container.ZLIB, PAGE)

    assert made.hardware == 2
