"""Walking a recorded channel: where packets and payloads stand, and where it ends too early."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from multifd.errors import TruncatedError, WireError
from multifd.wire.dialect import DIALECTS, dialect
from multifd.wire.packet import INIT_SIZE, DeviceStateHeader, RamHeader, pack_device_state, pack_init, pack_ram
from multifd.wire.scan import scan

PAGE: Final = 4096
ZLIB: Final = 2


@pytest.mark.parametrize("received", [0, 1, INIT_SIZE - 1])
def test_a_recording_shorter_than_the_init_packet_is_truncated(received: int) -> None:
    with pytest.raises(TruncatedError) as error:
        list(scan(bytes(received), 4096, dialect("qemu-10.0"), raw_pages=False))

    assert str(error.value) == (
        f"multifd: init packet: stream ended after {received} of 64 bytes"
        " (Unexpected end-of-file before all data were read)"
    )


def recording(*packets: bytes | bytearray) -> bytes:
    return b"".join((pack_init(0), *packets))


def packet(normal: int, size: int, *, zero: int = 0, flags: int = ZLIB, alloc: int = 128) -> bytearray:
    return pack_ram(RamHeader(flags, alloc, normal, size, 0, zero, "m", np.empty(0, np.uint64)), PAGE)


def scanned(data: bytes, name: str = "qemu-10.0", *, raw_pages: bool = False) -> list[tuple[int, int]]:
    """Where each header stands, and how many bytes of payload follow it."""
    return [(p.at, len(p.payload)) for p in scan(data, PAGE, dialect(name), raw_pages=raw_pages)]


@pytest.mark.parametrize("raw_pages", [False, True])
@pytest.mark.parametrize("name", DIALECTS)
def test_a_stale_size_is_no_payload_where_there_are_no_normal_pages(name: str, raw_pages: bool) -> None:
    data = recording(packet(0, 1000), packet(0, 1000, zero=3), packet(0, 0))

    assert scanned(data, name, raw_pages=raw_pages) == [(64, 0), (64 + 1344, 0), (64 + 2 * 1344, 0)]


def test_the_payload_is_as_long_as_the_header_says() -> None:
    data = recording(packet(2, 1000), bytes(1000), packet(1, 1), b"x")

    assert scanned(data) == [(64, 1000), (64 + 1344 + 1000, 1)]


def test_without_compression_whole_pages_follow_whatever_the_header_says() -> None:
    data = recording(packet(2, 77), bytes(2 * PAGE))

    assert scanned(data, raw_pages=True) == [(64, 2 * PAGE)]


@pytest.mark.parametrize("raw_pages", [False, True])
def test_device_state_is_as_long_as_it_says(raw_pages: bool) -> None:
    state = pack_device_state(DeviceStateHeader(64, "vfio", 1, 100))
    data = recording(state, bytes(100), packet(0, 0))

    assert scanned(data, raw_pages=raw_pages) == [(64, 100), (64 + 276 + 100, 0)]


def test_device_state_may_stand_anywhere() -> None:
    state = pack_device_state(DeviceStateHeader(64, "vfio", 1, 3))

    assert scanned(recording(packet(0, 0), state, b"abc", state, b"abc")) == [
        *((64, 0), (64 + 1344, 3), (64 + 1344 + 279, 3)),
    ]


def test_a_flag_above_that_of_device_state_is_none() -> None:
    assert scanned(recording(packet(0, 0, flags=0x80))) == [(64, 0)]


def test_a_dialect_without_device_state_reads_its_flag_as_none() -> None:
    assert scanned(recording(packet(0, 0, flags=0x40)), "qemu-9.2") == [(64, 0)]


def test_a_packet_is_given_as_it_stands_on_the_wire() -> None:
    header = packet(1, 3)

    (found,) = scan(recording(header, b"abc"), PAGE, dialect("qemu-10.0"), raw_pages=False)

    assert (bytes(found.raw), bytes(found.payload)) == (bytes(header), b"abc")
    assert isinstance(found.header, RamHeader)
    assert found.header.next_packet_size == 3


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (recording(bytes(11)), "packet header: stream ended after 11 of 1344 bytes"),
        (recording(packet(1, 5)[:-1]), "packet header: stream ended after 1343 of 1344 bytes"),
        (recording(packet(0, 0), bytes(5)), "packet header: stream ended after 5 of 1344 bytes"),
        (recording(packet(1, 3), b"abc", bytes(9)), "packet header: stream ended after 9 of 1344 bytes"),
        (recording(packet(1, 5), b"abcd"), "packet payload: stream ended after 4 of 5 bytes"),
        (
            recording(pack_device_state(DeviceStateHeader(64, "vfio", 1, 0))[:-1]),
            "device-state packet: stream ended after 275 of 276 bytes",
        ),
    ],
)
def test_a_recording_that_ends_within_a_packet_is_truncated(data: bytes, error: str) -> None:
    with pytest.raises(TruncatedError) as caught:
        scanned(data)

    assert str(caught.value) == f"multifd: {error} (Unexpected end-of-file before all data were read)"


@pytest.mark.parametrize(
    ("name", "words"),
    [("qemu-9.1", "magic 0 and expected magic 11223344"), ("qemu-9.2", "magic 0, expected 11223344")],
)
def test_what_is_no_packet_is_refused_in_the_words_of_the_dialect(name: str, words: str) -> None:
    with pytest.raises(WireError) as caught:
        scanned(recording(bytes(1344)), name)

    assert str(caught.value) == f"multifd: received packet {words}"


def test_a_recording_of_the_init_packet_only_has_no_packets() -> None:
    assert list(scan(bytes(INIT_SIZE), 4096, dialect("qemu-10.0"), raw_pages=False)) == []
