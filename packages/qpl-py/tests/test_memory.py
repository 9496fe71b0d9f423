"""Nothing is read or written beyond a buffer: guard pages behind sources and destinations of every size.

A violation ends the interpreter, so there is nothing to assert but the result.
"""

from __future__ import annotations

import mmap
from typing import Any

import pytest
from samples import deflate, inflate, noise, text

import qpl
from qpl.guard import Guarded, protect

pytestmark = pytest.mark.libqpl

CONTAINERS = ["raw", "zlib", "gzip"]


def guarded(data: bytes) -> memoryview:
    memory = Guarded(len(data))
    memory.view[:] = data
    return memory.view


@pytest.mark.parametrize("size", [1, 5, 100, 4096, 70_000])
@pytest.mark.parametrize("make", [text, noise])
@pytest.mark.parametrize("huffman", ["fixed", "dynamic"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_compression_either_fits_or_asks_for_more(container: Any, huffman: Any, make: Any, size: int) -> None:
    data = make(size)
    needed = len(qpl.compress(data, format=container, huffman=huffman))

    for room in {1, 2, 9, 10, needed // 2 + 1, *range(max(1, needed - 12), needed + 9)}:
        target = Guarded(room)
        try:
            written = qpl.compress_into(guarded(data), target.view, format=container, huffman=huffman)
        except qpl.MoreOutputNeededError:
            assert room < needed + 7
        else:
            assert inflate(bytes(target.view[:written]), container) == data


@pytest.mark.parametrize("size", [1, 8, 4096, 65_536, 65_537, 70_000, 140_000])
@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("container", CONTAINERS)
def test_decompression_stays_within_any_destination(container: Any, level: int, size: int) -> None:
    data = noise(size)
    stream = deflate(data, container, level=level)

    for room in {1, size // 2 + 1, *range(max(1, size - 5), size + 9)}:
        target = Guarded(room)
        try:
            written = qpl.decompress_into(guarded(stream), target.view, format=container)
        except qpl.MoreOutputNeededError:
            assert room < size
        else:
            assert bytes(target.view[:written]) == data[:written]
            assert written == size or room < size


@pytest.mark.parametrize("container", CONTAINERS)
def test_decompression_stays_within_any_beginning_of_a_stream(container: Any) -> None:
    data = text(4096)
    stream = deflate(data, container)

    for size in range(len(stream)):
        target = Guarded(4096)
        try:
            written = qpl.decompress_into(guarded(stream[:size]), target.view, format=container)
        except qpl.Error:
            continue
        assert written < 4096 or size > len(stream) - 10


def test_the_last_piece_of_a_stream_does_not_reach_before_its_destination() -> None:
    data = noise(60_000)
    stream = deflate(data)
    head, fenced = bytearray(60_000), Guarded(2 * mmap.PAGESIZE)
    assert protect(fenced.address, mmap.PAGESIZE, 0) == 0
    tail = fenced.view[mmap.PAGESIZE :]

    with qpl.Job() as job:
        first = job.decompress_into(stream[:-1000], head, last=False)
        second = job.decompress_into(stream[-1000:], tail, first=False)

    assert bytes(head[:first]) + bytes(tail[:second]) == data
