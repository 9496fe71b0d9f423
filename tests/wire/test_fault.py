"""Faults: which field is overwritten, and the very words in which each generation notices."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from multifd.errors import WireError
from multifd.wire.channel import MAX_PAYLOAD, ReceivingChannel
from multifd.wire.dialect import DIALECTS
from multifd.wire.fault import CHANNEL, CHANNELS, FAULTS, Fault
from multifd.wire.fields import INIT, RAM
from multifd.wire.packet import RamHeader, pack_init, pack_ram

OLD: Final = ("qemu-5.0", "rfc-2023")
GENERATIONS: Final = (OLD, ("qemu-9.0", "qemu-9.1"), ("qemu-9.2", "qemu-10.0"))
SIZE: Final = 1 << 22

SAID: Final[dict[str, tuple[str, ...]]] = {
    "init-magic": ("multifd: received packet magic 11223345 expected 11223344",) * 3,
    "init-version": ("multifd: received packet version 2 expected 1",) * 3,
    "init-uuid": (
        "multifd: received uuid '00000000-0000-0000-0000-000000000001' and expected uuid"
        " '00000000-0000-0000-0000-000000000000' for channel 1",
    )
    * 3,
    "init-id": (
        "multifd: received channel version 1 expected 1",
        "multifd: received channel id 200 is greater than number of channels 2",
        "multifd: received channel id 200 is greater than number of channels 2",
    ),
    "init-id-twice": ("multifd: received id '0' already setup'",) * 3,
    "magic": (
        "multifd: received packet magic 11223345 and expected magic 11223344",
        "multifd: received packet magic 11223345 and expected magic 11223344",
        "multifd: received packet magic 11223345, expected 11223344",
    ),
    "version": (
        "multifd: received packet version 2 and expected version 1",
        "multifd: received packet version 2 and expected version 1",
        "multifd: received packet version 2, expected 1",
    ),
    "flags-unknown-method": ("multifd 1: flags received 6 flags expected 2",) * 3,
    "pages-alloc": (
        "multifd: received packet with size 129 and expected a size of 128",
        "multifd: received packet with size 129 and expected a size of 128",
        "multifd: received packet with 129 pages, expected 128",
    ),
    "normal-pages": (
        "multifd: received packet with 129 pages and expected maximum pages are 128",
        "multifd: received packet with 129 normal pages and expected maximum pages are 128",
        "multifd: received packet with 129 non-zero pages, which exceeds maximum expected pages 128",
    ),
    "packet-size": ("multifd 1: received unexpectedly large packet",) * 3,
    "ramblock": ("multifd: unknown ram block X",) * 3,
    "offset": ("multifd: offset too long 1099511627776 (max 400000)",) * 3,
}
"""QEMU's words for each fault under zlib, in full, by generation."""

WORDS: Final = {
    **{
        (dialect, name): said
        for name, by_generation in SAID.items()
        for generation, said in zip(GENERATIONS, by_generation, strict=True)
        for dialect in generation
    },
    ("qemu-5.0", "flags-all"): "multifd 1: flags received e flags expected 2",
    ("rfc-2023", "flags-all"): "multifd 1: flags received e flags expected 2",
    ("qemu-9.0", "flags-all"): "multifd 1: flags received e flags expected 2",
    ("qemu-9.1", "flags-all"): "multifd 1: flags received 1e flags expected 2",
    ("qemu-9.2", "flags-all"): "multifd 1: flags received 3e flags expected 2",
    ("qemu-10.0", "flags-all"): "multifd 1: flags received 3e flags expected 2",
}
"""The same by dialect; what a mask shows of all flags differs more."""

UNNOTICED: Final = ("flags-ignored-bit",)
TWICE: Final = "init-id-twice"
"""Two channels are needed to notice it."""


def header() -> bytearray:
    """A packet that every receiver takes, of zlib."""
    offsets = np.array([4096], np.uint64)
    return pack_ram(RamHeader(2, 128, 1, 77, 5, 0, "m", offsets), 4096)


def receive(dialect: str, init: bytes | bytearray, packet: bytes | bytearray) -> None:
    """A receiver of zlib takes these on one channel."""
    stream, at = bytes(init) + bytes(packet), 0
    channel = ReceivingChannel(
        DIALECTS[dialect], flag=2, raw_pages=False, page_size=4096, blocks={"m": SIZE}, channels=CHANNELS
    )
    while at < len(stream):
        wanted = channel.wanted
        channel.feed(stream[at : at + wanted])
        at += wanted


def damaged(fault: Fault) -> tuple[bytearray, bytearray]:
    """An init packet and a packet, one of them with the fault."""
    init, packet = bytearray(pack_init(CHANNEL)), header()
    fault.damage(init if fault.packet is INIT else packet)
    return init, packet


def test_every_fault_of_every_dialect_has_its_words_here() -> None:
    assert set(WORDS) == {(dialect, name) for dialect in DIALECTS for name in FAULTS if name not in UNNOTICED}


@pytest.mark.parametrize(("dialect", "name"), WORDS)
def test_qemus_words_are_expected_to_the_letter(dialect: str, name: str) -> None:
    expected = FAULTS[name].error(DIALECTS[dialect], "zlib")

    assert re.fullmatch(expected, WORDS[dialect, name])


@pytest.mark.parametrize(("dialect", "name"), [key for key in WORDS if key[1] != TWICE])
def test_our_receiver_says_them(dialect: str, name: str) -> None:
    with pytest.raises(WireError) as caught:
        receive(dialect, *damaged(FAULTS[name]))

    assert str(caught.value) == WORDS[dialect, name]


@pytest.mark.parametrize(("dialect", "name"), WORDS)
def test_the_words_of_another_fault_or_generation_will_not_do(dialect: str, name: str) -> None:
    expected = FAULTS[name].error(DIALECTS[dialect], "zlib")

    others = set(WORDS.values()) - {WORDS[dialect, name]}

    assert not [said for said in others if re.search(expected, said)]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", UNNOTICED)
def test_what_nobody_looks_at_has_no_words_and_is_taken(name: str, dialect: str) -> None:
    assert FAULTS[name].error(DIALECTS[dialect], "zlib") == ""
    receive(dialect, *damaged(FAULTS[name]))


def test_a_generation_without_words_does_not_notice() -> None:
    fault = Fault("test", RAM, "zero_pages", 129, "", "zero_pages", 127)

    assert fault.error(DIALECTS["qemu-5.0"], "zlib") == ""
    assert fault.error(DIALECTS["qemu-9.0"], "zlib") != ""


def test_the_flags_expected_are_those_of_the_receiving_method() -> None:
    assert FAULTS["flags-all"].words(DIALECTS["qemu-9.1"], "zstd") == "multifd 1: flags received 1e flags expected 4"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_fault_changes_its_field_and_nothing_else(fault: Fault) -> None:
    init, packet = damaged(fault)
    changed, original = (init, pack_init(CHANNEL)) if fault.packet is INIT else (packet, header())

    places = {at for at, (one, other) in enumerate(zip(changed, original, strict=True)) if one != other}

    assert places
    assert places <= set(range(fault.place.offset, fault.place.offset + fault.place.size))


def test_a_fault_overwrites_the_packet_it_is_told() -> None:
    packets = header() + header()

    FAULTS["pages-alloc"].damage(packets, len(header()))

    assert packets == header() + damaged(FAULTS["pages-alloc"])[1]


def test_bits_may_be_added_to_those_that_are_there() -> None:
    packet = header()

    replace(FAULTS["flags-ignored-bit"], value=0x1001).damage(packet)

    assert RAM["flags"].read(packet) == 0x1003


def test_the_bit_that_nobody_notices_is_beyond_every_mask() -> None:
    value = FAULTS["flags-ignored-bit"].value
    assert isinstance(value, int)

    assert [d.name for d in DIALECTS.values() if value & (d.mask | 1 | (d.device_state or 0))] == []


def test_the_payload_that_is_too_large_is_larger_than_any_that_is_taken() -> None:
    value = FAULTS["packet-size"].value
    assert isinstance(value, int)

    assert MAX_PAYLOAD < value < 1 << 32


def test_a_fault_has_one_name() -> None:
    assert [fault.name for fault in FAULTS.values()] == list(FAULTS)
