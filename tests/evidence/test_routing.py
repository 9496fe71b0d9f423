"""What an end is asked is what its own library gives to its device, of the packets that were really sent."""

from __future__ import annotations

import struct
import zlib
from typing import Final

import pytest

from multifd.codec import create
from multifd.codec.qat_emulated import _QatCodec
from multifd.codec.silicon.libqatzip import Device
from multifd.evidence.asked import NOTHING, Asked
from multifd.evidence.routing import QEMU, Sent, compressed, decompressed
from multifd.framing.coder import Codec, Routing, compressor_of, decompressor_of
from multifd.framing.container import Container, four_b_header
from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.peers import LineUpPeer
from tests.evidence.peers import IAA, KIB, KUNPENG, LIBQATZIP, QAT, SILENT, peer

PAGE: Final = 4 * KIB
TEXT: Final = b"".join(b"page %d of some text; " % (number * number) for number in range(30_000))[: 512 * KIB]
NOISE: Final = b"".join(zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") for number in range(128 * KIB))
ENDLESS: Final = "decoded in software: a stream that does not end is software's"


def device(**parameters: int) -> Codec:
    return create("qat-emulated", parameters)


SOFTWARE: Final = device(device=Device.ABSENT)
"""libqatzip without a device."""


def packet(data: bytes, container: Container, by: Codec, channel: int = 0) -> Sent:
    """One with a payload of its own."""
    return Sent(channel, len(data) // PAGE, memoryview(bytes(by.compress(data, container, 15))))


def pages(data: bytes, container: Container, by: Codec, *, escape: bool = False) -> Sent:
    """One with a payload of each page by itself, or the page where that is shorter."""
    rows = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
    parts = [bytes(by.compress(row, container, 15)) for row in rows]
    if escape:
        parts = [row if len(part) >= PAGE else part for row, part in zip(rows, parts, strict=True)]
    table = struct.pack(f">{len(parts)}I", *map(len, parts))
    return Sent(0, len(rows), memoryview(table + b"".join(parts)))


# Senders


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("none", NOTHING),
        ("qatzip", Asked(8 + 1, 8 + 1, 512 * KIB + 12 * KIB)),
        ("raw-packet", Asked(8 + 1, 8 + 1, 512 * KIB + 12 * KIB)),
        ("zlib-page", Asked(131, 131, 131 * PAGE)),
        ("zlib", Asked(8 + 1, 8 + 1, 512 * KIB + 12 * KIB)),
        ("zlib-sync-page", Asked(131, 131, 131 * PAGE)),
    ],
)
def test_of_libqatzip_every_piece_of_every_input_is_a_request(name: str, asked: Asked) -> None:
    assert compressed(QAT, framing(name), PAGE, [128, 3]) == asked


def test_pieces_smaller_than_a_page_are_several_requests_for_each() -> None:
    small = peer("QAT", Routing(piece=KIB, threshold=512))

    assert compressed(small, framing("zlib-page"), PAGE, [2]) == Asked(8, 8, 2 * PAGE)


def test_pages_of_64_kib_are_a_request_each() -> None:
    assert compressed(QAT, framing("zlib-page"), 64 * KIB, [3]) == Asked(3, 3, 192 * KIB)


def test_what_is_below_the_threshold_is_compressed_in_software_by_design() -> None:
    careful = peer("QAT", Routing(piece=64 * KIB, threshold=8 * KIB))

    assert compressed(careful, framing("zlib-page"), PAGE, [128, 3]) == Asked(
        0, 0, 0, "compressed in software: 4,096 bytes are below input_sz_thrshold (8,192)"
    )


def test_a_part_that_is_below_the_threshold_is_a_part() -> None:
    careful = peer("QAT", Routing(piece=64 * KIB, threshold=8 * KIB))

    assert compressed(careful, framing("qatzip"), PAGE, [128, 1, 2, 1]) == Asked(
        9, 9, 520 * KIB, "2 of 4 packets compressed in software: 4,096 bytes are below input_sz_thrshold (8,192)"
    )


@pytest.mark.parametrize(
    ("routing", "page_size", "least"),
    [
        (Routing(), PAGE, 6),
        (Routing(jobs=2), PAGE, 12),
        (Routing(jobs=2, one_pass=PAGE), PAGE, 6),
        (Routing(jobs=2, one_pass=PAGE), 64 * KIB, 12),
    ],
)
def test_of_libqpl_there_are_jobs_for_every_page_at_least(routing: Routing, page_size: int, least: int) -> None:
    asked = compressed(peer("IAA", routing), framing("qpl"), page_size, [4, 2])

    assert (asked.least, asked.most, asked.software) == (least, None, "")


def test_of_uadk_there_is_exactly_a_job_for_every_page() -> None:
    asked = compressed(KUNPENG, framing("uadk"), PAGE, [4, 2])

    assert (asked.least, asked.most, asked.software) == (6, 6, "")


@pytest.mark.parametrize("silent", SILENT.values(), ids=str)
@pytest.mark.parametrize(
    ("name", "least"), [("none", 0), ("qatzip", 2), ("qpl", 6), ("zlib", 2), ("zlib-sync-page", 2)]
)
def test_of_who_says_nothing_there_is_a_job_for_each_input_at_least(name: str, least: int, silent: LineUpPeer) -> None:
    asked = compressed(silent, framing(name), PAGE, [4, 2])

    assert (asked.least, asked.most, asked.software) == (least, None, "")


# Receivers


@pytest.mark.parametrize("name", ["qatzip", "gzip-packet"])
def test_members_of_a_device_are_a_request_each_for_another(name: str) -> None:
    packets = [
        packet(TEXT, framing(name).container, device()),
        packet(NOISE[: 12 * KIB], framing(name).container, device()),
    ]

    asked = decompressed(QAT, framing(name), PAGE, packets)

    assert asked == Asked(9, 9, sum(len(each.payload) for each in packets))


def test_a_packet_of_one_member_is_decoded_in_software_by_design() -> None:
    sent = packet(TEXT[: 128 * KIB], Container.GZIP_EXT, SOFTWARE)

    assert decompressed(QAT, framing("qatzip"), PAGE, [sent, sent]) == Asked(
        0, 0, 2 * len(sent.payload),
        "decoded in software: a member of 131,072 bytes is larger than hw_buff_sz (65,536)",
    )  # fmt: skip


def test_packets_that_are_small_enough_are_the_devices() -> None:
    small, large = (packet(TEXT[:size], Container.GZIP_EXT, SOFTWARE) for size in (64 * KIB, 68 * KIB))

    asked = decompressed(QAT, framing("qatzip"), PAGE, [small, large, small])

    assert (asked.least, asked.most) == (2, 2)
    assert asked.software == (
        "1 of 3 packets decoded in software: a member of 69,632 bytes is larger than hw_buff_sz (65,536)"
    )


def test_a_packet_may_be_software_in_part() -> None:
    first, second = (packet(TEXT[:size], Container.GZIP_EXT, SOFTWARE).payload for size in (8 * KIB, 128 * KIB))

    asked = decompressed(QAT, framing("qatzip"), PAGE, [Sent(0, 34, memoryview(bytes(first) + bytes(second)))])

    assert (asked.least, asked.most) == (1, 1)
    assert asked.software.startswith(
        "1 of 1 packets, or a part of them, decoded in software: a member of 131,072 bytes"
    )


def test_there_is_no_limit_where_it_is_not_known_how_often_a_device_is_given_what_it_has_no_room_for() -> None:
    member = create("zlib").compress(bytes(128 * KIB), Container.RAW, 15)
    payload = 2 * (four_b_header(len(member)) + bytes(member))

    assert decompressed(QAT, framing("4b-packet"), PAGE, [Sent(0, 64, memoryview(payload))]).most is None


def test_pages_are_decoded_one_by_one() -> None:
    sent = pages(TEXT[: 20 * KIB], Container.ZLIB, device())

    assert decompressed(QAT, framing("zlib-page"), PAGE, [sent]) == Asked(5, 5, len(sent.payload) - 20)


def test_raw_pages_that_shrink_below_the_threshold_are_softwares() -> None:
    sent = pages(bytes(2 * PAGE) + NOISE[:PAGE], Container.RAW, device())

    asked = decompressed(QAT, framing("qpl"), PAGE, [sent])

    assert (asked.least, asked.most) == (1, 1)
    assert asked.software.startswith("2 of 3 pages decoded in software: ")
    assert asked.software.endswith(" bytes are below input_sz_thrshold (1,024)")


@pytest.mark.parametrize(("receiver", "most"), [(IAA, None), (KUNPENG, 2), (SILENT["IAA"], None), (SILENT[None], None)])
def test_pages_that_are_sent_as_they_are_ask_nothing(receiver: LineUpPeer, most: int | None) -> None:
    sent = pages(TEXT[: 2 * PAGE] + NOISE[: 3 * PAGE], Container.ZLIB, create("zlib"), escape=True)

    asked = decompressed(receiver, framing("uadk"), PAGE, [sent])

    assert (asked.least, asked.most) == (2, most)


def test_without_an_escape_a_page_of_that_length_is_compressed() -> None:
    part = bytes(PAGE)
    sent = Sent(0, 1, memoryview(struct.pack(">I", PAGE) + part))

    assert decompressed(KUNPENG, framing("zlib-page"), PAGE, [sent]).least == 1
    assert decompressed(KUNPENG, framing("uadk"), PAGE, [sent]).least == 0


def stream(data: bytes, by: Codec, channel: int) -> list[Sent]:
    """Two packets of a stream that goes on."""
    going = compressor_of(by, Container.ZLIB, 15)
    rows = (data[: 8 * KIB], data[8 * KIB : 16 * KIB])
    return [Sent(channel, 2, memoryview(going.compress(row) + going.sync())) for row in rows]


@pytest.mark.parametrize(("receiver", "most"), [(QAT, 2), (SILENT["QAT"], None)])
def test_streams_that_go_on_are_softwares_though_the_device_sees_how_each_begins(
    receiver: LineUpPeer, most: int | None
) -> None:
    packets = [*stream(TEXT, create("zlib"), 0), *stream(NOISE, create("zlib"), 1)]

    assert decompressed(receiver, framing("zlib"), PAGE, packets) == Asked(0, most, 0, ENDLESS)


def test_without_a_packet_there_is_no_stream() -> None:
    assert decompressed(QAT, framing("zlib"), PAGE, []) == NOTHING


def test_without_a_packet_one_that_says_nothing_of_itself_may_still_do_as_it_likes() -> None:
    assert decompressed(SILENT["QAT"], framing("zlib"), PAGE, []) == Asked()


def test_what_the_model_of_the_device_is_given_of_a_stream_is_at_most_that() -> None:
    codec = create("qat-emulated", {"stream": 1})
    for packets in (stream(TEXT, create("zlib"), 0), stream(NOISE, create("zlib"), 1)):
        reading = decompressor_of(codec, Container.ZLIB)
        for sent in packets:
            reading.decompress(sent.payload, sent.pages * PAGE)

    assert isinstance(codec, _QatCodec)
    assert codec.engine.requests == 2


@pytest.mark.parametrize("receiver", [IAA, KUNPENG, SILENT["IAA"]])
def test_a_device_that_follows_streams_has_a_job_for_each_packet(receiver: LineUpPeer) -> None:
    packets = stream(TEXT, create("zlib"), 0)

    assert decompressed(receiver, framing("zlib"), PAGE, packets).least == 2


@pytest.mark.parametrize("name", ["none", "qatzip-stub"])
def test_pages_as_they_are_ask_nobody(name: str) -> None:
    sent = Sent(0, 1, memoryview(bytes(PAGE)))

    assert decompressed(QAT, FRAMINGS[name], PAGE, [sent]) == compressed(QAT, FRAMINGS[name], PAGE, [1]) == NOTHING


def test_the_rules_are_those_of_the_receivers_own_library() -> None:
    sent = packet(TEXT[: 128 * KIB], Container.GZIP_EXT, SOFTWARE)
    large = peer("QAT", Routing(piece=512 * KIB, threshold=LIBQATZIP.threshold))

    assert decompressed(large, framing("qatzip"), PAGE, [sent]).least == 1
    assert decompressed(QAT, framing("qatzip"), PAGE, [sent]).least == 0


@pytest.mark.parametrize(("raw", "least"), [(True, 1), (False, 0)])
def test_a_release_without_raw_on_its_device_is_asked_nothing_of_it(raw: bool, least: int) -> None:
    sent = packet(TEXT[: 16 * KIB], Container.RAW, SOFTWARE)
    receiver = peer("QAT", Routing(piece=64 * KIB, threshold=KIB, raw=raw))

    assert decompressed(receiver, framing("raw-packet"), PAGE, [sent]).least == least


def test_a_real_qemu_goes_by_the_defaults_of_its_libraries() -> None:
    sent = packet(TEXT[: 128 * KIB], Container.GZIP_EXT, SOFTWARE)

    assert compressed(QEMU["qat"], framing("qatzip"), PAGE, [128]) == Asked(8, 8, 512 * KIB)
    assert decompressed(QEMU["qat"], framing("qatzip"), PAGE, [sent]).least == 0
    assert compressed(QEMU["iaa"], framing("qpl"), PAGE, [3]) == Asked(3, None, 3 * PAGE)
    assert compressed(QEMU["kunpeng"], framing("uadk"), PAGE, [3]) == Asked(3, 3, 3 * PAGE)
