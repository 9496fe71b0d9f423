"""Buffers by address. Needs no library."""

from __future__ import annotations

import array
import ctypes
import mmap

import pytest

from qatzip.memory import READ_AHEAD, PrivateDestination, compressed_source, pinned


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: array.array("B", data)])
def test_every_buffer_is_read_where_it_is(kind: type[bytes]) -> None:
    data = kind(b"abcdef")

    with pinned(data) as (address, size):
        assert ctypes.string_at(address, size) == b"abcdef"


def test_a_slice_of_a_map_is_read_where_it_is() -> None:
    with mmap.mmap(-1, 4096) as memory:
        memory[100:103] = b"abc"
        view = memoryview(memory)[100:103]
        with pinned(view) as (address, size):
            found = ctypes.string_at(address, size)
        view.release()

    assert found == b"abc"


def test_an_empty_buffer_has_an_address() -> None:
    with pinned(array.array("B")) as (address, size):
        assert (address != 0, size) == (True, 0)


def test_sizes_are_bytes_not_items() -> None:
    with pinned(array.array("Q", [1, 2])) as (_, size):
        assert size == 16


def test_a_buffer_cannot_be_resized_while_it_is_used() -> None:
    data = bytearray(b"abc")

    with pinned(data), pytest.raises(BufferError):
        data.append(1)


def test_a_buffer_can_be_resized_afterwards() -> None:
    data = bytearray(b"abc")

    with pinned(data):
        pass
    data.append(1)

    assert len(data) == 4


def test_a_read_only_destination_is_refused() -> None:
    with pytest.raises(BufferError, match=r"^Object is not writable\.$"), pinned(b"abc", writable=True):
        pass


def test_what_is_not_contiguous_is_refused() -> None:
    with pytest.raises(BufferError), pinned(memoryview(b"abcd")[::2]):
        pass


def test_text_is_refused() -> None:
    with pytest.raises(TypeError), pinned("text"):
        pass


@pytest.mark.parametrize(("format", "size"), [("gzip", READ_AHEAD), ("raw", 4096)])
def test_a_source_long_enough_is_not_copied(format: str, size: int) -> None:
    data = bytes(size)

    with pinned(data) as (origin, _), compressed_source(data, format) as (address, _):
        assert address == origin


@pytest.mark.parametrize(("format", "size"), [("gzip", READ_AHEAD - 1), ("zlib", 1), ("raw", 0), ("4B", 4096)])
def test_a_source_that_would_be_read_beyond_is_copied(format: str, size: int) -> None:
    data = bytes(range(256)) * 16

    with pinned(data) as (origin, _), compressed_source(data[:size], format) as (address, length):
        assert (address != origin, ctypes.string_at(address, length)) == (True, data[:size])


def test_a_private_destination_hands_over_only_what_was_produced() -> None:
    private, destination = PrivateDestination(8), bytearray(b"........")
    ctypes.memset(private.address, ord("x"), 12)

    with pinned(destination, writable=True) as (address, _):
        private.hand_over(address, 3)

    assert destination == b"xxx....."
