"""What a payload is called by what stands at its start, and what of it is shown."""

from __future__ import annotations

import struct
import zlib
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.codec import create
from multifd.framing.container import Container
from multifd.framing.recognize import NO_HEADER, NOTHING, TABLE, described, recognized

TEXT: Final = b"".join(b"line %d of a text that goes on\n" % number for number in range(200))


def table(*pages: bytes) -> bytes:
    return struct.pack(f">{len(pages)}I", *map(len, pages)) + b"".join(pages)


def unended(wbits: int) -> bytes:
    stream = zlib.compressobj(wbits=wbits)
    return stream.compress(TEXT) + stream.flush(zlib.Z_SYNC_FLUSH)


def made(container: Container, codec: str = "zlib") -> bytes:
    return bytes(create(codec).compress(TEXT, container, 15))


KINDS: Final = {
    "zlib": made(Container.ZLIB),
    "gzip": made(Container.GZIP),
    "gzip-ext": made(Container.GZIP_EXT),
    "4B": made(Container.FOUR_B),
    "zstd": made(Container.ZSTD, "zstd"),
    NO_HEADER: made(Container.RAW),
    TABLE: table(made(Container.ZLIB), made(Container.RAW)),
    NOTHING: b"",
    "zlib without end": unended(15),
    "gzip without end": unended(31),
    "no header without end": unended(-15),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_payload_is_recognized(kind: str) -> None:
    assert recognized(memoryview(KINDS[kind]), pages=2) == kind


def test_several_4b_members_are_recognized_by_all_their_lengths() -> None:
    member = made(Container.FOUR_B)

    assert recognized(memoryview(member + member)) == "4B"
    assert recognized(memoryview(member + member[:-1])) == NO_HEADER


@pytest.mark.parametrize("data", [b"\0", bytes(64), b"\x1f", b"\x78", b"\x78\x02", b"\x88\x1c", TEXT])
def test_what_is_none_of_them_has_no_header(data: bytes) -> None:
    assert recognized(memoryview(data), pages=1) == NO_HEADER


def test_a_length_table_is_one_for_as_many_pages_as_there_are() -> None:
    payload = memoryview(KINDS[TABLE])

    assert (recognized(payload, pages=1), recognized(payload)) == (NO_HEADER, NO_HEADER)


@given(st.binary(max_size=64), st.integers(0, 20))
def test_anything_at_all_can_be_described(data: bytes, pages: int) -> None:
    text = described(memoryview(data), pages)

    assert text.split(":")[0] == recognized(memoryview(data), pages)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", "nothing"),
        (b"\x78\x01\x03", "zlib: 780103"),
        (bytes(range(1, 13)), "no header: 0102030405060708090a0b0c"),
        (bytes(range(1, 14)), "no header: 0102030405060708…0a0b0c0d"),
    ],
)
def test_the_first_and_the_last_bytes_are_shown(data: bytes, shown: str) -> None:
    assert described(memoryview(data)) == shown
