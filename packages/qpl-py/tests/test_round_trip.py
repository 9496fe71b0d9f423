"""Every format, level and Huffman mode gives the data back, and zlib agrees in both directions."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import deflate, inflate, noise, text

import qpl

pytestmark = pytest.mark.libqpl

SIZES = [1, 2, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1 << 20]
MODES = [
    pytest.param({"format": container, "level": level, "huffman": huffman}, id=f"{container}-{level}-{huffman}")
    for container, level, huffman in product(("raw", "zlib", "gzip"), (1, "high"), ("fixed", "dynamic"))
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_what_is_compressed_decompresses_to_the_same(mode: dict[str, Any], size: int) -> None:
    data = text(size)

    compressed = qpl.compress(data, **mode)

    assert qpl.decompress(compressed, size=size, format=mode["format"]) == data


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_zlib_reads_what_libqpl_writes(mode: dict[str, Any], size: int) -> None:
    data = text(size)

    compressed = qpl.compress(data, **mode)

    assert inflate(compressed, mode["format"]) == data


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("container", ["raw", "zlib", "gzip"])
def test_libqpl_reads_what_zlib_writes_within_4096(container: Any, level: int, size: int) -> None:
    data = text(size)

    decompressed = qpl.decompress(deflate(data, container, level=level), size=size, format=container)

    assert decompressed == data


@pytest.mark.parametrize("size", SIZES)
def test_incompressible_data_fits_the_bound(size: int) -> None:
    data = noise(size)

    compressed = qpl.compress(data, format="gzip")

    assert inflate(compressed, "gzip") == data


@settings(max_examples=100, deadline=None)
@given(data=st.binary(min_size=1, max_size=9000), container=st.sampled_from(["raw", "zlib", "gzip"]))
def test_any_data_survives(data: bytes, container: Any) -> None:
    assert qpl.decompress(qpl.compress(data, format=container), size=len(data), format=container) == data


@pytest.mark.parametrize(
    ("container", "header"), [("zlib", "480d"), ("gzip", "1f8b08000000000000ff")], ids=["zlib", "gzip"]
)
def test_the_header_is_always_the_same(container: Any, header: str) -> None:
    assert qpl.compress(text(4096), format=container).hex().startswith(header)


def test_a_distance_of_4096_is_within_the_window() -> None:
    twice = noise(4096) * 2

    assert qpl.decompress(deflate(twice, window=15), size=8192) == twice


def test_a_distance_of_4097_is_beyond_the_window() -> None:
    twice = noise(4097) * 2

    with pytest.raises(qpl.BadDistanceError, match=r"^qpl_execute_job: status 217 \(QPL_STS_BAD_DIST_ERR\)$"):
        qpl.decompress(deflate(twice, window=15), size=8194)


def test_one_job_per_thread_is_safe() -> None:
    page = text(4096)

    def thousand_pages(_: int) -> int:
        compressed, back = bytearray(5000), bytearray(4096)
        with qpl.Job() as job:
            wrong = 0
            for _turn in range(1000):
                size = job.compress_into(page, compressed)
                job.decompress_into(memoryview(compressed)[:size], back)
                wrong += back != page
        return wrong

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(thousand_pages, range(4))) == [0, 0, 0, 0]


@pytest.mark.parametrize("piece", [7, 1000, 4096])
def test_a_stream_may_be_compressed_in_pieces(piece: int) -> None:
    data, target = text(10_000), bytearray(20_000)
    stream = b""

    with qpl.Job() as job:
        for start in range(0, len(data), piece):
            ends = start + piece >= len(data)
            size = job.compress_into(data[start : start + piece], target, first=start == 0, last=ends)
            stream += target[:size]
        totals = job.total_in, job.total_out, job.crc

    assert inflate(stream) == data
    assert totals == (10_000, len(stream), zlib.crc32(data))


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_stream_may_be_decompressed_in_pieces(piece: int) -> None:
    stream, target = deflate(text(10_000)), bytearray(20_000)
    data = b""

    with qpl.Job() as job:
        for start in range(0, len(stream), piece):
            ends = start + piece >= len(stream)
            size = job.decompress_into(stream[start : start + piece], target, first=start == 0, last=ends)
            data += target[:size]

    assert data == text(10_000)
