"""The table of fields: places as they stand on the wire, and everything written about them elsewhere."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import pytest

from multifd.wire.fields import DEVICE_STATE, INIT, LAYOUTS, PREFIX, RAM, Form, Layout

PLACES: Final = {
    INIT.name: "magic 0 4, version 4 4, uuid 8 16, id 24 1, reserved 25 39",
    RAM.name: "magic 0 4, version 4 4, flags 8 4, pages_alloc 12 4, normal_pages 16 4, next_packet_size 20 4,"
    " packet_num 24 8, zero_pages 32 4, reserved 36 28, ramblock 64 256, offset 320 8",
    DEVICE_STATE.name: "magic 0 4, version 4 4, flags 8 4, idstr 12 256, instance_id 268 4, next_packet_size 272 4",
}
"""Offset and size in bytes of every field, written down a second time (QEMU 10.0, migration/multifd.[ch])."""


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_field_is_where_qemu_has_it(layout: Layout) -> None:
    places = [f"{field.name} {field.offset} {field.size}" for field in layout.fields]

    assert ", ".join(places) == PLACES[layout.name]


@pytest.mark.parametrize(("layout", "size"), [(INIT, 64), (PREFIX, 12), (RAM, 320), (DEVICE_STATE, 276)])
def test_a_packet_has_the_size_of_its_fields_but_for_arrays(layout: Layout, size: int) -> None:
    assert layout.size == layout.struct().size == size


@pytest.mark.parametrize("layout", [RAM, DEVICE_STATE])
def test_what_follows_the_prefix_starts_with_it(layout: Layout) -> None:
    assert layout.fields[: len(PREFIX.fields)] == PREFIX.fields


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_field_says_what_it_means(layout: Layout) -> None:
    assert all(field.meaning for field in layout.fields)
    assert [field.always for field in layout.fields[:2]] == [0x11223344, 1]


def test_a_field_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="pages_used"):
        RAM["pages_used"]


@pytest.mark.parametrize(
    ("layout", "name", "value"),
    [
        (RAM, "pages_alloc", 0x01020304),
        (RAM, "packet_num", 0x0102030405060708),
        (RAM, "ramblock", "pc.ram"),
        (INIT, "uuid", UUID("11223344-5566-7788-99aa-bbccddeeff00")),
        (INIT, "id", 254),
    ],
)
def test_what_is_written_into_a_field_is_read_from_it_and_nothing_else_changes(
    layout: Layout, name: str, value: int | str | UUID
) -> None:
    field, packet = layout[name], bytearray(b"\xaa" * 1024)

    field.write(packet, value, 100)

    assert field.read(packet, 100) == value
    start = 100 + field.offset
    assert packet[:start] == b"\xaa" * start
    assert packet[start + field.size :] == b"\xaa" * (1024 - start - field.size)


def test_integers_are_big_endian() -> None:
    packet = bytearray(RAM.size)

    RAM["flags"].write(packet, 0x01020304)

    assert packet[RAM["flags"].place] == b"\x01\x02\x03\x04"


def test_text_ends_at_its_first_zero_and_fills_its_field() -> None:
    packet = bytearray(b"\xff" * RAM.size)

    RAM["ramblock"].write(packet, "m")

    assert packet[RAM["ramblock"].place] == b"m" + bytes(255)


def test_reserved_bytes_are_read_as_one_integer() -> None:
    packet = bytes(63) + b"\x07"

    assert (INIT["reserved"].form, INIT["reserved"].read(packet)) == (Form.RESERVED, 7)


@pytest.mark.parametrize(
    ("name", "value"), [("flags", 1 << 32), ("ramblock", "x" * 257), ("flags", UUID(int=0)), ("ramblock", UUID(int=0))]
)
def test_a_value_that_does_not_fit_is_refused(name: str, value: int | str | UUID) -> None:
    packet = bytearray(RAM.size)

    with pytest.raises(OverflowError):
        RAM[name].write(packet, value)

    assert packet == bytes(RAM.size)
