"""Faults: which field, which value, and the words in which a receiver must notice."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pytest

from multifd.errors import WireError
from multifd.oracle.question import Fault
from multifd.plan.fault import FAULTS, INIT_FIELDS, PACKET_FIELDS
from multifd.wire.dialect import DIALECTS, Dialect
from multifd.wire.packet import RamHeader, pack_init, pack_ram, unpack_init, unpack_ram

NOTICED: Final = {
    "init-magic": "multifd: received packet magic 11223345 expected 11223344",
    "init-version": "multifd: received packet version 2 expected 1",
    "init-uuid": (
        "multifd: received uuid '00000000-0000-0000-0000-000000000001' and expected uuid"
        " '00000000-0000-0000-0000-000000000000' for channel 1"
    ),
    "init-id": "multifd: received channel id 200 is greater than number of channels 2",
    "init-id-twice": "multifd: received id '0' already setup'",
    "magic": "multifd: received packet magic 11223345 and expected magic 11223344",
    "version": "multifd: received packet version 2 and expected version 1",
    "flags-unknown-method": "multifd 1: flags received 6 flags expected 2",
    "flags-all": "multifd 1: flags received 3e flags expected 2",
    "pages-alloc": "multifd: received packet with 129 pages, expected 128",
    "normal-pages": "multifd: received packet with 129 non-zero pages, which exceeds maximum expected pages 128",
    "packet-size": "multifd 1: received unexpectedly large packet",
    "ramblock": "multifd: unknown ram block X",
    "offset": "multifd: offset too long 1099511627776",
}
"""QEMU's own words for each fault, in full."""


def header(**changes: int) -> RamHeader:
    fields = {"flags": 2, "pages_alloc": 128, "normal_pages": 1, "next_packet_size": 77, **changes}
    return RamHeader(**fields, packet_num=5, zero_pages=0, ramblock="m", offsets=np.array([4096], np.uint64))


def overwritten(packet: bytes | bytearray, place: tuple[int, int], value: int) -> bytearray:
    offset, size = place
    changed = bytearray(packet)
    changed[offset : offset + size] = value.to_bytes(size)
    return changed


@pytest.mark.parametrize("name", NOTICED)
def test_the_receivers_words_are_expected(name: str) -> None:
    assert re.search(FAULTS[name].error, NOTICED[name])


@pytest.mark.parametrize("name", NOTICED)
def test_no_other_faults_words_will_do(name: str) -> None:
    same = {"flags-all": "flags-unknown-method"}
    others = [text for other, text in NOTICED.items() if other != name and same.get(name) != other]

    assert not any(re.search(FAULTS[name].error, text) for text in others)


def test_every_fault_that_is_noticed_has_its_words_here() -> None:
    assert {name for name, fault in FAULTS.items() if fault.error} == set(NOTICED)


@pytest.mark.parametrize("spoken", DIALECTS.values(), ids=list(DIALECTS))
@pytest.mark.parametrize(("name", "wording"), [("pages-alloc", "pages_alloc"), ("normal-pages", "normal_pages")])
def test_every_generation_says_it_in_its_own_words(spoken: Dialect, name: str, wording: str) -> None:
    text = getattr(spoken.wording, wording).format(value=129, expected=128)

    assert re.search(FAULTS[name].error, text)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_the_value_fits_the_field(fault: Fault) -> None:
    _, size = {**INIT_FIELDS, **PACKET_FIELDS}[fault.field]

    assert abs(fault.value).bit_length() <= 8 * size


@pytest.mark.parametrize(
    ("field", "value", "blamed"),
    [
        ("init.magic", 0x11223345, "magic"),
        ("init.version", 2, "version"),
        ("init.uuid", 1, "uuid"),
        ("init.id", 200, "channel id"),
    ],
)
def test_fields_of_the_init_packet_are_where_the_reader_finds_them(field: str, value: int, blamed: str) -> None:
    packet = overwritten(pack_init(1), INIT_FIELDS[field], value)

    with pytest.raises(WireError) as error:
        unpack_init(packet, channels=2)

    assert error.value.field == blamed


@pytest.mark.parametrize("field", ["magic", "version"])
def test_the_first_fields_of_a_packet_are_where_the_reader_finds_them(field: str) -> None:
    packet = overwritten(pack_ram(header(), 4096), PACKET_FIELDS[field], 7)

    with pytest.raises(WireError) as error:
        unpack_ram(packet, 4096)

    assert (error.value.field, error.value.value) == (field, 7)


@pytest.mark.parametrize("field", ["flags", "pages_alloc", "normal_pages", "next_packet_size"])
def test_the_counts_of_a_packet_are_where_the_writer_puts_them(field: str) -> None:
    packet = overwritten(pack_ram(header(), 4096), PACKET_FIELDS[field], 99)

    assert packet == pack_ram(header(**{field: 99}), 4096)


def test_the_block_name_is_where_the_reader_finds_it() -> None:
    packet = overwritten(pack_ram(header(), 4096), PACKET_FIELDS["ramblock"], ord("X"))

    assert unpack_ram(packet, 4096).ramblock == "X"


def test_the_first_offset_is_where_the_reader_finds_it() -> None:
    packet = overwritten(pack_ram(header(), 4096), PACKET_FIELDS["offset"], 1 << 40)

    assert unpack_ram(packet, 4096).offsets[0] == 1 << 40


def test_the_fault_that_nobody_notices_sets_a_bit_that_no_mask_covers() -> None:
    fault = FAULTS["flags-ignored-bit"]

    assert not fault.error
    assert all(-fault.value & (spoken.mask | 1 | (spoken.device_state or 0)) == 0 for spoken in DIALECTS.values())
