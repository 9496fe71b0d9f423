"""The bytes around the DEFLATE data, as libqatzip's software path writes them at level 1."""

from __future__ import annotations

import zlib
from typing import Literal

import pytest
from conftest import TEXT

import qatzip

pytestmark = pytest.mark.usefixtures("software")


def raw_inside(body: bytes) -> bytes:
    return zlib.decompress(body, -15)


def test_gzip_has_xfl_4_and_os_unix() -> None:
    compressed = qatzip.compress(TEXT, format="gzip")

    assert compressed[:10].hex() == "1f8b0800000000000403"


def test_gzip_ext_carries_both_sizes_in_the_field_qz() -> None:
    compressed = qatzip.compress(TEXT, format="gzip-ext")

    payload = compressed[24:-8]
    assert compressed[:16].hex() == "1f8b08040000000004ff0c00515a0800"
    assert compressed[16:24] == len(TEXT).to_bytes(4, "little") + len(payload).to_bytes(4, "little")
    assert raw_inside(payload) == TEXT


@pytest.mark.parametrize("format", ["gzip", "gzip-ext"])
def test_gzip_ends_in_crc_and_size(format: qatzip.parameters.Format) -> None:
    compressed = qatzip.compress(TEXT, format=format)

    assert compressed[-8:] == zlib.crc32(TEXT).to_bytes(4, "little") + len(TEXT).to_bytes(4, "little")


def test_zlib_has_the_default_window_and_adler() -> None:
    compressed = qatzip.compress(TEXT, format="zlib")

    assert (compressed[:2].hex(), compressed[-4:]) == ("7801", zlib.adler32(TEXT).to_bytes(4, "big"))


def test_4b_is_the_length_before_raw_data() -> None:
    compressed = qatzip.compress(TEXT, format="4B")

    assert int.from_bytes(compressed[:4], "little") == len(compressed) - 4
    assert raw_inside(compressed[4:]) == TEXT


def test_raw_has_nothing_around_it() -> None:
    assert raw_inside(qatzip.compress(TEXT, format="raw")) == TEXT


def test_software_makes_one_member_whatever_the_size() -> None:
    decoder = zlib.decompressobj(31)

    decoder.decompress(qatzip.compress(TEXT, format="gzip", hw_buff_sz=1024))

    assert (decoder.eof, decoder.unused_data) == (True, b"")


def test_software_ignores_the_wish_for_static_huffman() -> None:
    dynamic, static = (compressed_with(huffman) for huffman in ("dynamic", "static"))

    assert static == dynamic


def compressed_with(huffman: Literal["dynamic", "static"]) -> bytes:
    return qatzip.compress(TEXT[:4096], format="raw", huffman=huffman)
