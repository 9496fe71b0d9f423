"""What goes in comes out: every format, level, size, and zlib on the other side."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from conftest import NOISE, TEXT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import qatzip
from qatzip.parameters import FORMATS, Format

pytestmark = pytest.mark.usefixtures("library")

WBITS = {"gzip-ext": 31, "gzip": 31, "raw": -15, "zlib": 15}
SIZES = (0, 1, 1023, 1024, 1025, 4096, 65535, 65536, 65537, 512 * 1024, 4 * 1024 * 1024)
MIXED = (TEXT + NOISE) * 11


def by_zlib(data: bytes, format: Format) -> bytes:
    """Every member or chunk, decoded by zlib."""
    whole = b""
    while data:
        wbits, body = (-15, data[4:]) if format == "4B" else (WBITS[format], data)
        decoder = zlib.decompressobj(wbits)
        whole += decoder.decompress(body)
        assert decoder.eof
        data = decoder.unused_data
    return whole


def for_qatzip(data: bytes, format: Format, level: int = 6) -> bytes:
    """One member or chunk, made by zlib."""
    encoder = zlib.compressobj(level, wbits=WBITS.get(format, -15))
    body = encoder.compress(data) + encoder.flush()
    return len(body).to_bytes(4, "little") + body if format == "4B" else body


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("content", [MIXED, bytes(4 * 1024 * 1024)], ids=["mixed", "zeros"])
def test_every_format_and_size(format: Format, size: int, content: bytes) -> None:
    compressed = qatzip.compress(content[:size], format=format)

    assert qatzip.decompress(compressed, format=format, size=size) == content[:size]


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("size", [1, 4096, 65537])
def test_every_format_and_level(format: Format, level: int, size: int) -> None:
    compressed = qatzip.compress(TEXT[:size], format=format, level=level)

    assert qatzip.decompress(compressed, format=format, size=size) == TEXT[:size]


@pytest.mark.parametrize(
    "parameters",
    [
        {"huffman": "static"},
        {"hw_buff_sz": 1024},
        {"hw_buff_sz": 512 * 1024},
        {"input_sz_thrshold": 128},
        {"input_sz_thrshold": 1024 * 1024},
    ],
    ids=str,
)
def test_every_parameter(format: Format, parameters: dict[str, Any]) -> None:
    data = NOISE + TEXT

    compressed = qatzip.compress(data, format=format, **parameters)

    assert qatzip.decompress(compressed, format=format, size=len(data)) == data


@pytest.mark.parametrize("size", SIZES[:-1])
def test_zlib_reads_it(format: Format, size: int) -> None:
    assert by_zlib(qatzip.compress(MIXED[:size], format=format), format) == MIXED[:size]


@pytest.mark.parametrize("size", SIZES[:-1])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_it_reads_zlib(format: Format, size: int, level: int) -> None:
    assert qatzip.decompress(for_qatzip(MIXED[:size], format, level), format=format, size=size) == MIXED[:size]


def test_several_members_are_one_content(format: Format) -> None:
    members = qatzip.compress(TEXT[:5000], format=format) + qatzip.compress(TEXT[5000:9000], format=format)

    assert qatzip.decompress(members, format=format, size=9000) == TEXT[:9000]


@given(data=st.binary(max_size=3000), repeat=st.integers(1, 40), chosen=st.sampled_from(FORMATS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything(data: bytes, repeat: int, chosen: Format) -> None:
    content = data * repeat

    assert qatzip.decompress(qatzip.compress(content, format=chosen), format=chosen, size=len(content)) == content


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_buffer_is_a_source(kind: type[bytearray]) -> None:
    assert zlib.decompress(qatzip.compress(kind(TEXT)), 31) == TEXT


def test_into_writes_where_it_is_told() -> None:
    destination = bytearray(b"." * 1000)

    produced = qatzip.compress_into(TEXT[:4096], memoryview(destination)[100:900])

    assert zlib.decompress(destination[100 : 100 + produced], 31) == TEXT[:4096]
    assert destination[:100] + destination[100 + produced :] == b"." * (1000 - produced)


@pytest.mark.parametrize(
    ("given", "session"),
    [("gzip", "gzip-ext"), ("gzip-ext", "gzip")],
)
def test_the_two_gzip_formats_read_each_other(given: Format, session: Format) -> None:
    assert qatzip.decompress(qatzip.compress(TEXT, format=given), format=session, size=len(TEXT)) == TEXT


@pytest.mark.parametrize("given", FORMATS)
def test_any_other_container_is_refused_or_short(given: Format, format: Format) -> None:
    if given == format or {given, format} == {"gzip", "gzip-ext"}:
        return
    compressed = qatzip.compress(TEXT, format=given)

    # Without a header or checksum of its own, raw may take a few bytes of anything for a block.
    with pytest.raises(qatzip.QatzipError) as caught:
        qatzip.decompress(compressed, format=format, size=len(TEXT))

    assert caught.value.name in ({"QZ_DATA_ERROR", "QZ_OK"} if format in {"raw", "4B"} else {"QZ_DATA_ERROR"})
