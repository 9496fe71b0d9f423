"""Headers and trailers: byte for byte what the specifications say, and what the standard library reads."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import HarnessError, PayloadError
from multifd.framing.container import (
    XFL_HARDWARE,
    Container,
    Header,
    four_b_header,
    gzip_ext_header,
    parse,
    trailer,
    trailer_length,
    zlib_header,
)

U32: Final = st.integers(0, 0xFFFFFFFF)
PAGE: Final = b"a page of guest memory " * 200

FEXTRA, FNAME, FCOMMENT, FHCRC = 0x04, 0x08, 0x10, 0x02


def gzip_header(flags: int = 0, optional: bytes = b"", *, crc: bool = False) -> bytes:
    header = b"\x1f\x8b\x08" + bytes([flags]) + bytes(4) + b"\x00\x03" + optional
    return header + struct.pack("<H", zlib.crc32(header) & 0xFFFF) if crc else header


def extra_field(*subfields: tuple[bytes, bytes]) -> bytes:
    content = b"".join(name + struct.pack("<H", len(data)) + data for name, data in subfields)
    return struct.pack("<H", len(content)) + content


ALL_FIELDS: Final = gzip_header(
    FEXTRA | FNAME | FCOMMENT | FHCRC,
    extra_field((b"Ap", b"data")) + b"ram.bin\0" + b"of guest 7\0",
    crc=True,
)


def member(data: bytes) -> bytes:
    stream = zlib.compressobj(1, zlib.DEFLATED, -15)
    payload = stream.compress(data) + stream.flush()
    return gzip_ext_header(len(data), len(payload)) + payload + trailer(zlib.crc32(data), len(data))


# --- Writing. ---


def test_gzip_ext_header_of_the_software_path() -> None:
    header = gzip_ext_header(0x80000, 0x1234)

    assert header.hex(" ") == "1f 8b 08 04 00 00 00 00 04 ff 0c 00 51 5a 08 00 00 00 08 00 34 12 00 00"


def test_gzip_ext_header_of_the_device() -> None:
    header = gzip_ext_header(0x10000, 0x1234, xfl=XFL_HARDWARE)

    assert header.hex(" ") == "1f 8b 08 04 00 00 00 00 00 ff 0c 00 51 5a 08 00 00 00 01 00 34 12 00 00"


def test_python_reads_gzip_ext_members() -> None:
    data = gzip.decompress(member(PAGE) + member(PAGE[::-1]))

    assert data == PAGE + PAGE[::-1]


def test_python_verifies_the_trailer() -> None:
    damaged = member(PAGE)[:-8] + trailer(zlib.crc32(PAGE) ^ 1, len(PAGE))

    with pytest.raises(gzip.BadGzipFile, match="CRC check failed"):
        gzip.decompress(damaged)


def test_the_size_in_a_trailer_is_modulo_four_gigabytes() -> None:
    assert trailer(0x01020304, (1 << 32) + 5).hex(" ") == "04 03 02 01 05 00 00 00"


def test_four_b_header_is_little_endian() -> None:
    assert four_b_header(0x1234).hex(" ") == "34 12 00 00"


@pytest.mark.parametrize(
    ("bits", "hint", "header"),
    [(15, 0, "7801"), (15, 1, "785e"), (15, 2, "789c"), (15, 3, "78da"), (12, 0, "480d"), (9, 0, "1819")],
)
def test_zlib_headers_that_are_well_known(bits: int, hint: int, header: str) -> None:
    assert zlib_header(bits, hint).hex() == header


@pytest.mark.parametrize(("level", "bits"), list(product(range(10), range(9, 16))))
def test_zlib_writes_the_same_headers(level: int, bits: int) -> None:
    hint = (0, 0, 1, 1, 1, 1, 2, 3, 3, 3)[level]
    stream = zlib.compressobj(level, zlib.DEFLATED, bits)

    assert (stream.compress(PAGE) + stream.flush())[:2] == zlib_header(bits, hint)


@pytest.mark.parametrize("bits", [7, 16])
def test_a_window_that_zlib_cannot_name_is_refused(bits: int) -> None:
    with pytest.raises(HarnessError, match=rf"^zlib header: window_bits is {bits}, expected 8 to 15$"):
        zlib_header(bits)


@pytest.mark.parametrize("hint", [-1, 4])
def test_a_level_hint_that_zlib_cannot_name_is_refused(hint: int) -> None:
    with pytest.raises(HarnessError, match=rf"^zlib header: level_hint is {hint}, expected 0 to 3$"):
        zlib_header(15, hint)


@pytest.mark.parametrize(
    ("container", "length"),
    [
        (Container.RAW, 0),
        (Container.ZLIB, 4),
        (Container.GZIP, 8),
        (Container.GZIP_EXT, 8),
        (Container.FOUR_B, 0),
        (Container.ZSTD, 0),
        (Container.NONE, 0),
    ],
)
def test_trailer_lengths(container: Container, length: int) -> None:
    assert trailer_length(container) == length


# --- Reading. ---


@given(source=U32, compressed=U32, xfl=st.integers(0, 255), rest=st.binary(max_size=8))
def test_gzip_ext_headers_come_back(source: int, compressed: int, xfl: int, rest: bytes) -> None:
    header = parse(gzip_ext_header(source, compressed, xfl=xfl) + rest, Container.GZIP_EXT)

    assert header == Header(
        Container.GZIP_EXT,
        24,
        source_size=source,
        payload_size=compressed,
        xfl=xfl,
        os=255,
        has_extra=True,
    )


@given(bits=st.integers(8, 15), hint=st.integers(0, 3), rest=st.binary(max_size=8))
def test_zlib_headers_come_back(bits: int, hint: int, rest: bytes) -> None:
    header = parse(zlib_header(bits, hint) + rest, Container.ZLIB)

    assert header == Header(Container.ZLIB, 2, window=1 << bits, level_hint=hint)


@given(length=U32, rest=st.binary(max_size=8))
def test_four_b_headers_come_back(length: int, rest: bytes) -> None:
    header = parse(four_b_header(length) + rest, Container.FOUR_B)

    assert header == Header(Container.FOUR_B, 4, payload_size=length)


@pytest.mark.parametrize("container", [Container.RAW, Container.ZSTD, Container.NONE])
def test_containers_without_a_header(container: Container) -> None:
    assert parse(b"anything", container) == Header(container, 0)


def test_the_header_begins_at_start() -> None:
    header = parse(b"page" + zlib_header(12), Container.ZLIB, start=4)

    assert (header.length, header.window) == (2, 4096)


@pytest.mark.parametrize("xfl", [0, 2, 4])
def test_plain_gzip_header(xfl: int) -> None:
    header = parse(b"\x1f\x8b\x08\x00\x01\x02\x03\x04" + bytes([xfl, 3]), Container.GZIP)

    assert header == Header(Container.GZIP, 10, xfl=xfl, os=3)


def test_gzip_header_with_every_optional_field() -> None:
    header = parse(ALL_FIELDS + b"data", Container.GZIP)

    assert header == Header(
        Container.GZIP,
        len(ALL_FIELDS),
        xfl=0,
        os=3,
        has_extra=True,
        has_name=True,
        has_comment=True,
        has_header_crc=True,
    )


@pytest.mark.parametrize(
    ("flag", "optional", "field"),
    [
        (FEXTRA, extra_field((b"Ap", b"data")), "has_extra"),
        (FNAME, b"ram.bin\0", "has_name"),
        (FCOMMENT, b"of guest 7\0", "has_comment"),
    ],
)
def test_gzip_header_with_one_optional_field(flag: int, optional: bytes, field: str) -> None:
    written = gzip_header(flag, optional)

    header = parse(written + b"data", Container.GZIP)

    found = [name for name in ("has_extra", "has_name", "has_comment", "has_header_crc") if getattr(header, name)]
    assert (header.length, found) == (len(written), [field])


def test_zlib_reads_every_optional_field_too() -> None:
    payload = member(PAGE)[24:]

    assert zlib.decompress(ALL_FIELDS + payload, 31) == PAGE


@given(name=st.text(st.characters(codec="latin-1", exclude_characters="\0/"), max_size=20))
def test_headers_of_the_gzip_module(name: str) -> None:
    target = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=target) as file:
        file.write(PAGE)

    header = parse(target.getvalue(), Container.GZIP)

    assert zlib.decompress(target.getvalue()[header.length : -8], -15) == PAGE


def test_the_qz_subfield_may_have_neighbours() -> None:
    optional = extra_field((b"Ap", b"data"), (b"QZ", struct.pack("<II", 7, 5)))

    header = parse(gzip_header(FEXTRA, optional), Container.GZIP_EXT)

    assert (header.source_size, header.payload_size) == (7, 5)


def test_plain_gzip_does_not_look_into_the_extra_field() -> None:
    header = parse(gzip_header(FEXTRA, b"\x03\x00QZ!"), Container.GZIP)

    assert (header.has_extra, header.payload_size) == (True, None)


# --- Defects, each with its exact message. ---


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x79\x01", "zlib header: CM is 9, expected 8 (DEFLATE)"),
        (b"\x88\x1c", "zlib header: CINFO is 8, expected at most 7 (a window of 32768 bytes)"),
        (b"\x78\x02", "zlib header: FCHECK is 2, expected 1"),
        (b"\x78\x9d", "zlib header: FCHECK is 29, expected 28"),
        (b"\x78\x20", "zlib header: FDICT is 1, expected 0 (no preset dictionary)"),
        (b"", "zlib header: CMF ends after 0 of 1 bytes"),
        (b"\x78", "zlib header: FLG ends after 0 of 1 bytes"),
    ],
)
def test_defects_of_a_zlib_header(data: bytes, message: str) -> None:
    with pytest.raises(PayloadError) as caught:
        parse(data, Container.ZLIB)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x1f\x8c" + gzip_header()[2:], "gzip header: magic is 1f8c, expected 1f8b"),
        (b"\x1f\x8b\x07" + gzip_header()[3:], "gzip header: CM is 7, expected 8 (DEFLATE)"),
        (gzip_header(0x20), "gzip header: FLG is 0x20, expected bits 5 to 7 clear"),
        (gzip_header(0x81), "gzip header: FLG is 0x81, expected bits 5 to 7 clear"),
        (gzip_header(FNAME, b"ram"), "gzip header: name ends after 3 bytes, expected a zero byte"),
        (gzip_header(FHCRC, b"\x01\x02"), "gzip header: header CRC is 0x0201, expected 0x77a7"),
    ],
)
def test_defects_of_a_gzip_header(data: bytes, message: str) -> None:
    with pytest.raises(PayloadError) as caught:
        parse(data, Container.GZIP)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip_header(), "gzip-ext header: extra field is b'', expected a QZ subfield"),
        (
            gzip_header(FEXTRA, extra_field((b"Ap", b"!"))),
            "gzip-ext header: extra field is b'Ap\\x01\\x00!', expected a QZ subfield",
        ),
        (
            gzip_header(FEXTRA, extra_field((b"QZ", bytes(7)))),
            "gzip-ext header: QZ subfield is 7 bytes, expected 8",
        ),
        (gzip_header(FEXTRA, b"\x01\x00Q"), "gzip-ext header: subfield id ends after 1 of 2 bytes"),
        (gzip_header(FEXTRA, b"\x03\x00QZ\x08"), "gzip-ext header: subfield length ends after 1 of 2 bytes"),
        (
            gzip_header(FEXTRA, b"\x05\x00QZ\x08\x00!"),
            "gzip-ext header: subfield b'QZ' ends after 1 of 8 bytes",
        ),
    ],
)
def test_defects_of_a_gzip_ext_header(data: bytes, message: str) -> None:
    with pytest.raises(PayloadError) as caught:
        parse(data, Container.GZIP_EXT)

    assert str(caught.value) == message


GZIP_EXT_FIELDS: Final = (
    ("magic", 2), ("CM", 1), ("FLG", 1), ("MTIME", 4), ("XFL", 1), ("OS", 1), ("XLEN", 2),
    ("extra field", 12),
)  # fmt: skip


@pytest.mark.parametrize(
    ("end", "field", "present", "size"),
    [
        (sum(size for _, size in GZIP_EXT_FIELDS[:place]) + present, field, present, size)
        for place, (field, size) in enumerate(GZIP_EXT_FIELDS)
        for present in range(size)
    ],
)
def test_a_gzip_ext_header_cut_short(end: int, field: str, present: int, size: int) -> None:
    with pytest.raises(PayloadError) as caught:
        parse(gzip_ext_header(7, 5)[:end], Container.GZIP_EXT)

    assert str(caught.value) == f"gzip-ext header: {field} ends after {present} of {size} bytes"


@pytest.mark.parametrize("present", range(4))
def test_a_four_b_header_cut_short(present: int) -> None:
    with pytest.raises(PayloadError) as caught:
        parse(four_b_header(5)[:present], Container.FOUR_B)

    assert str(caught.value) == f"4B header: length ends after {present} of 4 bytes"


@pytest.mark.parametrize("end", range(len(ALL_FIELDS)))
def test_no_prefix_of_a_header_is_a_header(end: int) -> None:
    with pytest.raises(PayloadError, match=r"^gzip header: .* ends after \d+"):
        parse(ALL_FIELDS[:end], Container.GZIP)


FHCRC_BIT: Final = 8 * 3 + 1
"""The one bit that the header CRC cannot protect: without it there is none."""


@pytest.mark.parametrize("bit", [bit for bit in range(8 * len(ALL_FIELDS)) if bit != FHCRC_BIT])
def test_the_header_crc_covers_every_bit(bit: int) -> None:
    damaged = bytearray(ALL_FIELDS)
    damaged[bit // 8] ^= 1 << bit % 8

    with pytest.raises(PayloadError):
        parse(damaged, Container.GZIP)
