"""What a library leaves to its software by design is foretold, and is what becomes of packets."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from multifd.codec import create
from multifd.codec.silicon.libqatzip import Device
from multifd.evidence.routing import Sent, compressed, decompressed
from multifd.framing.coder import Codec, Routing
from multifd.framing.container import Container
from multifd.framing.model import FRAMINGS, Framing, Scope
from multifd.oracle.fallback import receiving, sending
from tests.evidence.peers import KIB, LIBQATZIP, peer

PACKET: Final = 512 * KIB
TEXT: Final = b"".join(b"page %d of some text; " % (number * number) for number in range(30_000))[:PACKET]
CONTENTS: Final = {"text": TEXT, "zeros": bytes(PACKET)}
ENCODERS: Final = {
    "device": create("qat-emulated"),
    "small pieces": create("qat-emulated", {"buffer": 16}),
    "software": create("qat-emulated", {"device": Device.ABSENT}),
}
ROUTINGS: Final = {
    "usual": LIBQATZIP,
    "old": Routing(piece=64 * KIB, threshold=KIB, raw=False),
    "large": Routing(piece=512 * KIB, threshold=KIB),
    "careful": Routing(piece=64 * KIB, threshold=80_000),
}
FRAMED: Final = [
    name for name, spoken in FRAMINGS.items()
    if spoken.scope is not Scope.CHANNEL and not spoken.raw_pages and spoken.container is not Container.ZSTD
]  # fmt: skip


def sent(spoken: Framing, page_size: int, encoder: Codec, data: bytes) -> Sent:
    """A full packet."""
    if spoken.scope is Scope.PACKET:
        return Sent(0, PACKET // page_size, memoryview(bytes(encoder.compress(data, spoken.container, 15))))
    rows = (data[at : at + page_size] for at in range(0, PACKET, page_size))
    parts = [bytes(encoder.compress(row, spoken.container, 15)) for row in rows]
    return Sent(0, len(parts), memoryview(struct.pack(f">{len(parts)}I", *map(len, parts)) + b"".join(parts)))


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("page_size", [4 * KIB, 64 * KIB])
@pytest.mark.parametrize("name", FRAMED)
def test_what_is_foretold_of_a_receiver_becomes_of_its_packets(
    name: str, page_size: int, routing: str, encoder: str, content: str
) -> None:
    codec, spoken = ENCODERS[encoder], FRAMINGS[name]
    packet = sent(spoken, page_size, codec, CONTENTS[content])
    assert codec.encoder is not None

    why = receiving("QAT", ROUTINGS[routing], spoken, page_size, codec.encoder)

    asked = decompressed(peer("QAT", ROUTINGS[routing]), spoken, page_size, [packet])
    if why:
        assert asked.least == 0
    elif spoken.container in (Container.GZIP, Container.GZIP_EXT):
        assert asked.least > 0


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("page_size", [4 * KIB, 64 * KIB])
@pytest.mark.parametrize("name", [*FRAMED, "zlib", "zlib-sync-page[window=15]"])
def test_what_is_foretold_of_a_sender_becomes_of_its_packets(name: str, page_size: int, routing: str) -> None:
    spoken, rules = FRAMINGS[name], ROUTINGS[routing]

    why = sending("QAT", rules, spoken, page_size)

    asked = compressed(peer("QAT", rules), spoken, page_size, [PACKET // page_size])
    assert bool(why) == (asked.least == 0)


def foretold(encoder: str, name: str, device: str | None = "QAT", routing: Routing | None = LIBQATZIP) -> str:
    declared = ENCODERS[encoder].encoder
    assert declared is not None
    return receiving(device, routing, FRAMINGS[name], 4 * KIB, declared)


@pytest.mark.parametrize("name", ["qatzip", "gzip-packet", "4b-packet", "raw-packet", "zlib-packet[window=15]"])
def test_one_member_for_a_packet_is_softwares_by_design(name: str) -> None:
    assert foretold("software", name) == "a member of 524,288 bytes is larger than hw_buff_sz (65,536)"


@pytest.mark.parametrize("name", ["qatzip", "gzip-packet", "4b-packet", "zlib-packet[window=15]"])
def test_members_of_a_device_are_anothers(name: str) -> None:
    assert foretold("device", name) == ""


def test_raw_has_no_members() -> None:
    assert foretold("device", "raw-packet") == "a member of 524,288 bytes is larger than hw_buff_sz (65,536)"


def test_a_stream_that_goes_on_is_softwares_by_design() -> None:
    assert foretold("software", "zlib") == foretold("software", "zlib", routing=None) != ""
    assert foretold("software", "zlib", "IAA", Routing()) == foretold("software", "zlib", None, None) == ""


@pytest.mark.parametrize(
    ("device", "routing"), [("QAT", None), ("IAA", Routing()), ("Kunpeng", Routing()), (None, None)]
)
def test_of_any_other_library_nothing_is_foretold(device: str | None, routing: Routing | None) -> None:
    assert foretold("software", "qatzip", device, routing) == ""
    assert sending(device, routing, FRAMINGS["qatzip"], 4 * KIB) == ""


def test_pages_as_they_are_are_nobodys_work() -> None:
    careful = ROUTINGS["careful"]

    assert foretold("software", "none", routing=careful) == sending("QAT", careful, FRAMINGS["none"], 4 * KIB) == ""
