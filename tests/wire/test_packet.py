"""The packets of a multifd channel, byte for byte, and how a damaged one is refused."""

from __future__ import annotations

import struct
from dataclasses import astuple
from typing import Final
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import TruncatedError, WireError
from multifd.wire.packet import (
    DEVICE_STATE_SIZE,
    INIT_SIZE,
    PAGE_SIZES,
    DeviceStateHeader,
    RamHeader,
    header_size,
    pack_device_state,
    pack_init,
    pack_ram,
    slots,
    unpack_device_state,
    unpack_init,
    unpack_prefix,
    unpack_ram,
)
from multifd.wire.wording import BEFORE_9_0, FROM_9_0, FROM_9_2

PAGE: Final = 4096
U32: Final = st.integers(0, 0xFFFFFFFF)
U64: Final = st.integers(0, 0xFFFFFFFFFFFFFFFF)
GUEST: Final = UUID("11223344-5566-7788-99aa-bbccddeeff00")

INIT_OF_CHANNEL_2: Final = bytes.fromhex("11223344 00000001" + "00" * 16 + "02" + "00" * 39)
INIT_OF_GUEST: Final = bytes.fromhex("11223344 00000001" + GUEST.hex + "00" + "00" * 39)


def ram(fields: str, block: bytes = b"", offsets: tuple[int, ...] = ()) -> bytes:
    """A RAM packet header for 4 KiB pages from the hex of its first 36 bytes."""
    fixed = bytes.fromhex(fields).ljust(64, b"\0") + block.ljust(256, b"\0")
    return fixed + struct.pack(f">{len(offsets)}Q", *offsets) + bytes(8 * (128 - len(offsets)))


# Captured from QEMU 7.2.22 (zlib) and 10.0.2 (zstd).
DATA_7_2: Final = ram(
    "11223344 00000001 00000002 00000080 00000001 00000774 0000000000000003 00000000", b"/rom@etc/acpi/tables"
)
SYNC_WITH_DATA_7_2: Final = ram(
    "11223344 00000001 00000003 00000080 00000001 0000003e 0000000000000007 00000000", b"/rom@etc/acpi/rsdp"
)
TRAILING_7_2: Final = ram(
    "11223344 00000001 00000000 00000080 00000000 0000003e 0000000000000007 00000000", b"/rom@etc/acpi/rsdp"
)
DATA_10_0: Final = ram(
    "11223344 00000001 00000004 00000080 00000002 00000921 0000000000000022 0000001e",
    b"/rom@etc/acpi/tables",
    (0, 0x1000, *range(0x3000, 0x20000, 0x1000), 0x2000),
)
SYNC_10_0: Final = ram("11223344 00000001 00000001 00000000 00000000 00000000 0000000000000029 00000000")

DEVICE_STATE: Final = (
    bytes.fromhex("11223344 00000001 00000040")
    + b"0000:00:02.0/vfio".ljust(256, b"\0")
    + bytes.fromhex("00000007 00001234")
)


def content(header: RamHeader) -> tuple[object, ...]:
    """All fields, offsets as a list, for comparison."""
    *fixed, offsets = astuple(header)
    return (*fixed, offsets.tolist())


def padded(*offsets: int) -> list[int]:
    return [*offsets, *[0] * (128 - len(offsets))]


def changed(packet: bytes, at: int, value: str) -> bytes:
    new = bytes.fromhex(value)
    return packet[:at] + new + packet[at + len(new) :]


# --- init packet --------------------------------------------------------------------------------------------


def test_the_init_packet_is_laid_out_as_qemu_lays_it_out() -> None:
    assert pack_init(2) == INIT_OF_CHANNEL_2
    assert pack_init(0, GUEST.bytes) == INIT_OF_GUEST


def test_an_init_packet_tells_its_channel() -> None:
    assert unpack_init(INIT_OF_CHANNEL_2, channels=3) == 2


def test_an_init_packet_of_the_same_guest_is_accepted() -> None:
    assert unpack_init(INIT_OF_GUEST, channels=1, uuid=GUEST.bytes) == 0


@pytest.mark.parametrize("channels", range(1, 256))
def test_every_channel_of_a_migration_is_accepted_and_the_next_id_is_not(channels: int) -> None:
    accepted = [unpack_init(pack_init(channel), channels=channels) for channel in range(channels)]
    with pytest.raises(WireError) as caught:
        unpack_init(pack_init(channels), channels=channels)

    assert accepted == list(range(channels))
    assert str(caught.value) == (
        f"multifd: received channel id {channels} is greater than number of channels {channels}"
    )


@pytest.mark.parametrize(
    ("at", "value", "field", "message"),
    [
        (0, "11223345", "magic", "multifd: received packet magic 11223345 expected 11223344"),
        (4, "00000002", "version", "multifd: received packet version 2 expected 1"),
        (4, "00000000", "version", "multifd: received packet version 0 expected 1"),
        (0, "00000000", "magic", "multifd: received packet magic 0 expected 11223344"),
        (
            8,
            GUEST.hex,
            "uuid",
            f"multifd: received uuid '{GUEST}' and expected uuid '{UUID(int=0)}' for channel 2",
        ),
        (
            24,
            "03",
            "channel id",
            "multifd: received channel id 3 is greater than number of channels 3",
        ),
    ],
)
def test_a_wrong_field_of_an_init_packet_is_refused_in_qemus_words(
    at: int, value: str, field: str, message: str
) -> None:
    with pytest.raises(WireError) as caught:
        unpack_init(changed(INIT_OF_CHANNEL_2, at, value), channels=3)

    assert (caught.value.field, str(caught.value)) == (field, message)


def test_the_padding_of_an_init_packet_is_not_looked_at() -> None:
    assert unpack_init(changed(INIT_OF_CHANNEL_2, 25, "ff" * 39), channels=3) == 2


@pytest.mark.parametrize("size", range(INIT_SIZE))
def test_a_short_init_packet_is_truncated(size: int) -> None:
    with pytest.raises(TruncatedError) as caught:
        unpack_init(INIT_OF_CHANNEL_2[:size], channels=3)

    assert str(caught.value) == (
        f"multifd: init packet: stream ended after {size} of 64 bytes"
        " (Unexpected end-of-file before all data were read)"
    )


# --- RAM packet ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page_size", "size"), [(4096, 1344), (16384, 576), (65536, 384)])
def test_a_header_has_320_bytes_and_a_slot_of_8_for_each_page_of_512_kib(page_size: int, size: int) -> None:
    header = RamHeader(0, 0, 0, 0, 0, 0, "", np.empty(0, np.uint64))

    assert header_size(page_size) == size
    assert len(pack_ram(header, page_size)) == size


CAPTURED: Final = {
    "data packet of 7.2": (DATA_7_2, (2, 128, 1, 1908, 3, 0, "/rom@etc/acpi/tables", padded(0))),
    "SYNC on a data packet of 7.2": (
        SYNC_WITH_DATA_7_2,
        (3, 128, 1, 62, 7, 0, "/rom@etc/acpi/rsdp", padded(0)),
    ),
    "empty packet after a SYNC of 7.2": (
        TRAILING_7_2,
        (0, 128, 0, 62, 7, 0, "/rom@etc/acpi/rsdp", padded(0)),
    ),
    "data packet of 10.0": (
        DATA_10_0,
        (
            *(4, 128, 2, 2337, 34, 30, "/rom@etc/acpi/tables"),
            padded(0, 0x1000, *range(0x3000, 0x20000, 0x1000), 0x2000),
        ),
    ),
    "SYNC packet of 10.0": (SYNC_10_0, (1, 0, 0, 0, 41, 0, "", padded())),
}


@pytest.mark.parametrize(("data", "expected"), CAPTURED.values(), ids=CAPTURED)
def test_a_captured_header_is_read(data: bytes, expected: tuple[object, ...]) -> None:
    assert content(unpack_ram(data, PAGE)) == expected


@pytest.mark.parametrize("data", [data for data, _ in CAPTURED.values()], ids=CAPTURED)
def test_a_captured_header_is_written_as_it_was(data: bytes) -> None:
    assert pack_ram(unpack_ram(data, PAGE), PAGE) == data


@given(st.sampled_from(PAGE_SIZES), st.data())
def test_every_header_survives_a_round_trip(page_size: int, data: st.DataObject) -> None:
    offsets = data.draw(st.lists(U64, min_size=slots(page_size), max_size=slots(page_size)))
    name = data.draw(st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=255))
    flags, alloc, normal, size, zero = (data.draw(U32) for _ in range(5))
    header = RamHeader(flags, alloc, normal, size, data.draw(U64), zero, name, np.array(offsets, np.uint64))

    assert content(unpack_ram(pack_ram(header, page_size), page_size)) == content(header)


def test_missing_offsets_are_written_as_zero() -> None:
    header = RamHeader(0, 128, 1, 0, 0, 0, "m", np.array([0x5000], np.uint64))

    assert unpack_ram(pack_ram(header, PAGE), PAGE).offsets.tolist() == padded(0x5000)


def test_an_unterminated_block_name_loses_its_last_byte() -> None:
    assert unpack_ram(changed(DATA_7_2, 64, "6d" * 256), PAGE).ramblock == "m" * 255


def test_a_block_name_ends_at_its_first_zero() -> None:
    assert unpack_ram(changed(DATA_7_2, 64, "6d 00 6d"), PAGE).ramblock == "m"


def test_reserved_bytes_are_not_looked_at() -> None:
    damaged = changed(DATA_7_2, 36, "ff" * 28)

    assert content(unpack_ram(damaged, PAGE)) == content(unpack_ram(DATA_7_2, PAGE))


@pytest.mark.parametrize("page_size", PAGE_SIZES)
@pytest.mark.parametrize("missing", [1, 8, 64, 300])
def test_a_short_header_is_truncated(page_size: int, missing: int) -> None:
    size = header_size(page_size)

    with pytest.raises(TruncatedError) as caught:
        unpack_ram(bytes(size - missing), page_size)

    assert str(caught.value) == (
        f"multifd: packet header: stream ended after {size - missing} of {size} bytes"
        " (Unexpected end-of-file before all data were read)"
    )


@pytest.mark.parametrize(
    ("at", "value", "field", "old", "new"),
    [
        (
            *(0, "44332211", "magic"),
            "multifd: received packet magic 44332211 and expected magic 11223344",
            "multifd: received packet magic 44332211, expected 11223344",
        ),
        (
            *(4, "00000000", "version"),
            "multifd: received packet version 0 and expected version 1",
            "multifd: received packet version 0, expected 1",
        ),
    ],
)
def test_magic_and_version_are_refused_in_the_words_of_a_generation(
    at: int, value: str, field: str, old: str, new: str
) -> None:
    for wording, message in ((BEFORE_9_0, old), (FROM_9_0, old), (FROM_9_2, new)):
        with pytest.raises(WireError) as caught:
            unpack_prefix(changed(DATA_7_2, at, value), wording)

        assert (caught.value.field, str(caught.value)) == (field, message)


def test_the_first_twelve_bytes_are_enough_to_tell_the_flags() -> None:
    assert unpack_prefix(SYNC_WITH_DATA_7_2[:12]) == 3


# --- device-state packet ------------------------------------------------------------------------------------


def test_the_device_state_packet_is_laid_out_as_qemu_lays_it_out() -> None:
    header = DeviceStateHeader(64, "0000:00:02.0/vfio", 7, 0x1234)

    assert pack_device_state(header) == DEVICE_STATE
    assert unpack_device_state(DEVICE_STATE) == header


@pytest.mark.parametrize("size", [0, 12, 268, DEVICE_STATE_SIZE - 1])
def test_a_short_device_state_packet_is_truncated(size: int) -> None:
    with pytest.raises(TruncatedError) as caught:
        unpack_device_state(DEVICE_STATE[:size])

    assert str(caught.value) == (
        f"multifd: device-state packet: stream ended after {size} of 276 bytes"
        " (Unexpected end-of-file before all data were read)"
    )
