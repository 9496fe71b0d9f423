"""Overwritten fields: the very words in which each generation notices."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pytest

from multifd.errors import WireError
from multifd.oracle.predict import predict
from multifd.oracle.question import Prediction
from multifd.wire.channel import ReceivingChannel
from multifd.wire.dialect import DIALECTS
from multifd.wire.fault import FAULTS, USUAL, Overwrite
from multifd.wire.fields import INIT
from multifd.wire.packet import RamHeader, pack_init, pack_ram
from tests.oracle.builder import READS_ZSTD, ZSTD, ask

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

TWICE: Final = "init-id-twice"
"""Two channels are needed to notice it."""


def predicted(dialect: str, name: str) -> Prediction:
    """What the oracle says of this fault under zlib."""
    return predict(ask("zlib", speaking=dialect, fault=name))


def expected(dialect: str, name: str) -> str:
    """The error that it expects."""
    error = predicted(dialect, name).error
    assert error is not None
    return error


def receive(dialect: str, name: str) -> None:
    """A receiver of zlib takes an init packet and a packet, one of them with the fault."""
    deed = FAULTS[name].deed
    assert isinstance(deed, Overwrite)
    init = bytearray(pack_init(USUAL.channel))
    packet = pack_ram(RamHeader(2, 128, 1, 77, 5, 0, "m", np.array([4096], np.uint64)), 4096)
    deed.write(init if deed.packet is INIT else packet)
    channel = ReceivingChannel(
        DIALECTS[dialect], flag=2, raw_pages=False, page_size=4096, blocks={"m": SIZE}, channels=2
    )
    stream, at = bytes(init) + bytes(packet), 0
    while at < len(stream):
        wanted = channel.wanted
        channel.feed(stream[at : at + wanted])
        at += wanted


@pytest.mark.parametrize(("dialect", "name"), WORDS)
def test_qemus_words_are_expected_to_the_letter(dialect: str, name: str) -> None:
    assert re.fullmatch(expected(dialect, name), WORDS[dialect, name])


@pytest.mark.parametrize(("dialect", "name"), [key for key in WORDS if key[1] != TWICE])
def test_our_receiver_says_them(dialect: str, name: str) -> None:
    with pytest.raises(WireError) as caught:
        receive(dialect, name)

    assert str(caught.value) == WORDS[dialect, name]


@pytest.mark.parametrize(("dialect", "name"), WORDS)
def test_the_words_of_another_fault_or_generation_will_not_do(dialect: str, name: str) -> None:
    others = set(WORDS.values()) - {WORDS[dialect, name]}

    assert not [said for said in others if re.search(expected(dialect, name), said)]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["flags-ignored-bit", "number", "reserved", "init-reserved"])
def test_what_nobody_looks_at_is_taken(name: str, dialect: str) -> None:
    assert predicted(dialect, name).outcome == "identical"
    receive(dialect, name)


@pytest.mark.parametrize(("dialect", "outcome"), [("qemu-5.0", "identical"), ("qemu-9.0", "rejected")])
def test_a_generation_that_does_not_look_does_not_notice(dialect: str, outcome: str) -> None:
    assert predicted(dialect, "zero-pages").outcome == outcome


def test_the_flags_expected_are_those_of_the_receiving_method() -> None:
    prediction = predict(ask("zstd", by=ZSTD, to=READS_ZSTD, speaking="qemu-9.1", fault="flags-all"))

    assert prediction.error == "multifd 1: flags received 1e flags expected 4"
