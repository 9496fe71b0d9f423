"""Payloads: every framing, made by every codec that can, read by every codec that can, whole and damaged."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multifd.codec import create
from multifd.errors import InputError, PayloadError, Unsupported
from multifd.framing.coder import Codec, EncoderCapability, declared, need_encoder
from multifd.framing.container import Container
from multifd.framing.decode import PayloadDecoder
from multifd.framing.encode import PayloadEncoder
from multifd.framing.model import FRAMINGS, METHOD_FRAMINGS, PROPOSALS, Framing, Scope, framing
from multifd.framing.pages import Indices, Pages
from multifd.framing.recognize import described
from multifd.wire.packet import PACKET_SIZE, PAGE_SIZES

PAGE: Final = 4096
FULL: Final = PACKET_SIZE // PAGE
BLOCK: Final = FULL + 8
"""Pages of the RAM block in these tests: more than a packet takes."""

CODECS: Final = {name: create(name) for name in ("isal", "libdeflate", "none", "zlib", "zlib-ng", "zstd")}


# --- which codec can do which framing -----------------------------------------------------------------------


def emits(codec: Codec, shape: Framing, page_size: int = PAGE) -> str | None:
    """The capability that the codec lacks to emit this framing."""
    try:
        PayloadEncoder(shape, codec, page_size)
    except Unsupported as problem:
        return problem.capability
    return None


def reads(codec: Codec, shape: Framing) -> str | None:
    """The capability that the codec lacks to read this framing, as far as it is known before the data."""
    try:
        PayloadDecoder(shape, codec, PAGE)
    except Unsupported as problem:
        return problem.capability
    return None


COMPRESSED: Final = tuple(name for name, shape in FRAMINGS.items() if not shape.raw_pages)
MAKERS: Final = [
    (name, codec) for name in COMPRESSED for codec in CODECS if emits(CODECS[codec], FRAMINGS[name]) is None
]


def readers(shape: Framing) -> list[str]:
    """Codecs that decode the framing; those without streams cannot go on from packet to packet."""
    return [
        name
        for name, codec in CODECS.items()
        if (known := codec.decoder) is not None
        and shape.container in known.containers
        and (known.streaming or shape.scope is not Scope.CHANNEL)
    ]


READERS: Final = [(name, codec) for name in COMPRESSED for codec in readers(FRAMINGS[name])]

DEFLATES: Final = ("isal", "libdeflate", "zlib", "zlib-ng")
STREAMS: Final = ("isal", "zlib", "zlib-ng")

EMIT: Final = {
    "none": ("none",),
    "zlib": STREAMS,
    "zstd": ("zstd",),
    "qpl": DEFLATES,
    "uadk": DEFLATES,
    "qatzip": DEFLATES,
    "qatzip-stub": ("none",),
    "zlib-packet[window=15]": DEFLATES,
    "zlib-page[window=15]": DEFLATES,
    "zlib-sync-page[window=15]": STREAMS,
    "zlib-packet[window=12]": STREAMS,
    "zlib-page[window=12]": STREAMS,
    "zlib-sync-page[window=12]": STREAMS,
    "raw-packet": DEFLATES,
    "gzip-packet": DEFLATES,
    "4b-packet": DEFLATES,
    "raw-packet[window=12]": STREAMS,
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_codecs_that_emit_a_framing(name: str) -> None:
    assert tuple(codec for codec in CODECS if emits(CODECS[codec], FRAMINGS[name]) is None) == EMIT[name]


@pytest.mark.parametrize(
    ("codec", "name", "page_size", "capability", "message"),
    [
        ("zstd", "zlib", 4096, "container", "zstd cannot emit container zlib"),
        ("zlib", "none", 4096, "container", "zlib cannot emit container none"),
        (
            *("libdeflate", "zlib", 4096, "streaming"),
            "libdeflate cannot keep a stream open across packets (no sync flush)",
        ),
        (
            *("libdeflate", "zlib-page[window=12]", 4096, "window"),
            "libdeflate cannot limit its window to 4096 bytes",
        ),
        (
            *("libdeflate", "raw-packet[window=12]", 4096, "window"),
            "libdeflate cannot limit its window to 4096 bytes",
        ),
        ("libdeflate", "qpl", 16384, "window", "libdeflate cannot limit its window to 4096 bytes"),
    ],
)
def test_a_codec_says_what_it_lacks_before_anything_is_sent(
    codec: str, name: str, page_size: int, capability: str, message: str
) -> None:
    with pytest.raises(Unsupported) as caught:
        PayloadEncoder(FRAMINGS[name], CODECS[codec], page_size)

    assert (caught.value.capability, str(caught.value)) == (capability, message)


@pytest.mark.parametrize(("reach", "fits"), [(4096, True), (4097, False), (8192, False)])
def test_a_window_that_cannot_be_limited_is_kept_by_what_is_no_larger(reach: int, fits: bool) -> None:
    codec = CODECS["libdeflate"]
    if fits:
        assert need_encoder(codec, Container.RAW, 12, streaming=False, reach=reach) == 15
        return
    with pytest.raises(Unsupported, match=r"^libdeflate cannot limit its window to 4096 bytes$"):
        need_encoder(codec, Container.RAW, 12, streaming=False, reach=reach)


def test_an_encoder_shrinks_reaches_all_of_the_window_and_makes_one_member_unless_it_says_otherwise() -> None:
    plain = EncoderCapability(frozenset(), streaming=False, windows=frozenset())

    assert (plain.shrinks, plain.reach, plain.member) == (True, 15, None)


def test_a_codec_cannot_read_a_container_that_it_does_not_know() -> None:
    with pytest.raises(Unsupported) as caught:
        PayloadDecoder(FRAMINGS["qpl"], CODECS["zstd"], PAGE)

    assert (caught.value.capability, str(caught.value)) == ("container", "zstd cannot read container raw")


def test_a_codec_without_streams_may_be_put_before_one() -> None:
    assert reads(CODECS["libdeflate"], FRAMINGS["zlib"]) is None


def test_a_codec_with_a_smaller_window_uses_it() -> None:
    narrow = create("zlib", {"window": 10})

    payload = encoded(PayloadEncoder(FRAMINGS["zlib-packet[window=12]"], narrow, PAGE), SMALL, CHOSEN)

    assert payload[:2].hex() == "2815"


# --- pages and payloads -------------------------------------------------------------------------------------


def encoded(encoder: PayloadEncoder, pages: Pages, indices: Indices) -> memoryview:
    chosen = np.ascontiguousarray(pages[indices])
    return memoryview(b"".join(bytes(memoryview(part)) for part in encoder.encode(chosen.data.cast("B"))))


def blank(pages: Pages) -> Pages:
    """A destination whose every byte differs from the source's."""
    return ~pages


def written(pages: Pages, source: Pages) -> list[int]:
    """Numbers of the pages that are no longer blank."""
    return np.flatnonzero((pages != blank(source)).any(axis=1)).tolist()


def _small() -> Pages:
    """Text that compresses well, differently on each page: payloads of some 100 bytes."""
    rows = [(f"page {number}, " * PAGE).encode()[:PAGE] for number in range(5)]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(5, PAGE)


SMALL: Final = _small()
CHOSEN: Final = np.array([1, 3], np.uint64)
OTHERS: Final = [0, 2, 4]


@st.composite
def memories(draw: st.DrawFn) -> Pages:
    """A RAM block in which zero, repetitive, random and mixed pages alternate in any proportion."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    noise = random.integers(0, 256, (BLOCK, PAGE), np.uint8)
    period = draw(st.sampled_from([1, 3, 40, 256, 4095]))
    repeated = np.resize(noise[0, :period], (BLOCK, PAGE))
    kinds = np.array([np.zeros_like(noise), repeated, noise, np.where(noise < 8, noise, repeated)])
    weights = np.array(draw(st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any)))
    chosen = random.choice(4, BLOCK, p=weights / weights.sum())
    return np.ascontiguousarray(kinds[chosen, np.arange(BLOCK)])


PLACES: Final = st.integers(0, BLOCK - 1)
SELECTIONS: Final = st.one_of(
    st.just(list(range(FULL))),
    PLACES.map(lambda place: [place]),
    st.lists(PLACES, unique=True, min_size=1, max_size=20).map(sorted),
    st.lists(PLACES, unique=True, min_size=1, max_size=20),
).map(lambda places: np.array(places, np.uint64))
"""Page indices of a packet: full, single, ascending with gaps, in any order."""


# --- round trips --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "maker"), MAKERS)
@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(pages=memories(), packets=st.lists(SELECTIONS, min_size=1, max_size=3))
def test_every_reader_gets_back_the_pages_of_every_maker(
    name: str, maker: str, pages: Pages, packets: Sequence[Indices]
) -> None:
    shape = FRAMINGS[name]
    encoder = PayloadEncoder(shape, CODECS[maker], PAGE)
    payloads = [encoded(encoder, pages, indices) for indices in packets]

    for reader in readers(shape):
        decoder, target = PayloadDecoder(shape, CODECS[reader], PAGE), blank(pages)
        for payload, indices in zip(payloads, packets, strict=True):
            decoder.decode(payload, target, indices)

        sent = sorted({int(index) for indices in packets for index in indices})
        assert written(target, pages) == sent, reader
        assert np.array_equal(target[sent], pages[sent]), reader


@pytest.mark.parametrize("page_size", PAGE_SIZES)
@pytest.mark.parametrize("name", COMPRESSED)
def test_pages_of_every_size_make_the_round_trip(name: str, page_size: int) -> None:
    pages = np.random.default_rng(7).integers(0, 4, (8, page_size), np.uint8)
    indices = np.array([0, 1, 5], np.uint64)
    codec = CODECS["zstd" if name == "zstd" else "zlib"]
    target = blank(pages)

    payload = encoded(PayloadEncoder(FRAMINGS[name], codec, page_size), pages, indices)
    PayloadDecoder(FRAMINGS[name], codec, page_size).decode(payload, target, indices)

    assert written(target, pages) == [0, 1, 5]
    assert np.array_equal(target[indices], pages[indices])


@pytest.mark.parametrize("name", ["none", "qatzip-stub"])
def test_pages_without_compression_are_not_copied(name: str) -> None:
    pages = SMALL.copy()
    buffers = PayloadEncoder(FRAMINGS[name], CODECS["none"], PAGE).encode(pages.data.cast("B"))

    pages[:] = 7

    assert b"".join(buffers) == pages.tobytes()


# --- layouts ------------------------------------------------------------------------------------------------


def payload_of(name: str, codec: str = "zlib") -> bytes:
    return bytes(encoded(PayloadEncoder(FRAMINGS[name], CODECS[codec], PAGE), SMALL, CHOSEN))


def test_a_zlib_channel_has_its_header_once_and_a_sync_flush_in_every_packet() -> None:
    encoder = PayloadEncoder(FRAMINGS["zlib"], CODECS["zlib"], PAGE)

    first, second = (bytes(encoded(encoder, SMALL, CHOSEN)) for _ in range(2))

    assert (first[:2].hex(), first[-4:].hex(), first.count(b"\x00\x00\xff\xff")) == ("7801", "0000ffff", 1)
    assert (second[:2].hex() != "7801", second[-4:].hex()) == (True, "0000ffff")


def test_a_flush_after_every_page_leaves_a_marker_for_every_page() -> None:
    payload = payload_of("zlib-sync-page[window=15]")

    assert (payload.count(b"\x00\x00\xff\xff"), payload[-4:].hex()) == (2, "0000ffff")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("zlib-packet[window=15]", "7801"),
        ("zlib-packet[window=12]", "480d"),
        ("gzip-packet", "1f8b08"),
        ("qatzip", "1f8b08040000000004ff0c00515a080000200000"),
    ],
)
def test_a_packet_starts_with_the_header_of_its_container(name: str, start: str) -> None:
    assert payload_of(name).hex().startswith(start)


def test_a_qatzip_packet_says_its_compressed_size_and_ends_with_checksum_and_size() -> None:
    payload = payload_of("qatzip")

    assert int.from_bytes(payload[20:24], "little") == len(payload) - 24 - 8
    assert struct.unpack("<II", payload[-8:]) == (zlib.crc32(SMALL[[1, 3]].tobytes()), 2 * PAGE)


def test_a_4b_packet_says_its_compressed_size() -> None:
    payload = payload_of("4b-packet")

    assert int.from_bytes(payload[:4], "little") == len(payload) - 4


def test_a_length_table_is_big_endian_and_counts_each_page() -> None:
    payload = payload_of("qpl")
    lengths = struct.unpack(">2I", payload[:8])

    assert sum(lengths) == len(payload) - 8
    assert zlib.decompress(payload[8 : 8 + lengths[0]], -15) == SMALL[1].tobytes()


NOISE: Final = np.random.default_rng(3).integers(0, 256, (5, PAGE), np.uint8)


@pytest.mark.parametrize("name", ["qpl", "uadk"])
def test_a_page_that_does_not_shrink_is_sent_as_it_is(name: str) -> None:
    payload = encoded(PayloadEncoder(FRAMINGS[name], CODECS["zlib"], PAGE), NOISE, CHOSEN)

    assert bytes(payload) == struct.pack(">2I", PAGE, PAGE) + NOISE[[1, 3]].tobytes()


def test_without_an_escape_a_page_that_does_not_shrink_grows() -> None:
    shape = FRAMINGS["zlib-page[window=15]"]

    payload = encoded(PayloadEncoder(shape, CODECS["zlib"], PAGE), NOISE, CHOSEN)

    assert all(length > PAGE for length in struct.unpack(">2I", payload[:8]))


# --- damaged payloads ---------------------------------------------------------------------------------------


def refused(name: str, codec: str, payload: bytes) -> str:
    """The message with which the payload of :data:`CHOSEN` is refused; nothing may have been written."""
    target = blank(SMALL)
    with pytest.raises(PayloadError) as caught:
        PayloadDecoder(FRAMINGS[name], CODECS[codec], PAGE).decode(memoryview(payload), target, CHOSEN)
    assert written(target, SMALL) == []
    return caught.value.message


def outcomes(
    name: str, codec: str, payloads: Iterator[bytes], indices: Indices = CHOSEN
) -> Iterator[tuple[bool, Pages]]:
    """For each payload: was it accepted, and the destination; anything but PayloadError is raised."""
    for payload in payloads:
        target = blank(SMALL)
        try:
            PayloadDecoder(FRAMINGS[name], CODECS[codec], PAGE).decode(memoryview(payload), target, indices)
        except PayloadError:
            yield False, target
        else:
            yield True, target


def maker(name: str, reader: str) -> str:
    """The reader itself where it can emit the framing, else zlib, which can emit all of DEFLATE's."""
    return reader if (name, reader) in MAKERS else "zlib"


def may_be_missing(shape: Framing) -> int:
    """Bytes at the end of a payload that hold no part of a page: of a sync flush, the empty stored block.

    QEMU does not miss them either, for it counts output (``multifd_zlib_recv``, migration/multifd-zlib.c, QEMU 10.2).
    The first bits of the empty block share a byte with the block before it. A zstd flush adds no block.
    """
    return 5 if shape.scope is Scope.CHANNEL and shape.container is Container.ZLIB else 0


@pytest.mark.parametrize(("name", "reader"), READERS)
def test_every_prefix_of_a_payload_is_refused_and_no_wrong_page_is_written(name: str, reader: str) -> None:
    payload = payload_of(name, maker(name, reader))
    enough = len(payload) - may_be_missing(FRAMINGS[name])
    prefixes = (payload[:size] for size in range(len(payload)))

    for size, (accepted, target) in enumerate(outcomes(name, reader, prefixes)):
        pages = written(target, SMALL)
        assert np.array_equal(target[pages], SMALL[pages]), size
        assert not accepted or size >= enough, size
        assert set(pages) == set(CHOSEN.tolist()) if accepted else set(pages) < set(CHOSEN.tolist()), size


@pytest.mark.parametrize(("name", "reader"), READERS)
def test_no_flipped_bit_does_more_than_be_refused_or_damage_the_pages_asked_for(name: str, reader: str) -> None:
    payload = payload_of(name, maker(name, reader))
    value = int.from_bytes(payload, "little")
    flipped = ((value ^ 1 << bit).to_bytes(len(payload), "little") for bit in range(8 * len(payload)))

    for bit, (_, target) in enumerate(outcomes(name, reader, flipped)):
        assert not set(written(target, SMALL)) & set(OTHERS), bit


CHECKED: Final = (Container.ZLIB, Container.GZIP, Container.GZIP_EXT)


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        (name, reader)
        for name, reader in READERS
        if FRAMINGS[name].container in CHECKED and FRAMINGS[name].scope is not Scope.CHANNEL
    ],
)
def test_a_container_with_a_checksum_lets_no_flipped_bit_damage_a_page(name: str, reader: str) -> None:
    payload = payload_of(name, maker(name, reader))
    value = int.from_bytes(payload, "little")
    flipped = ((value ^ 1 << bit).to_bytes(len(payload), "little") for bit in range(8 * len(payload)))

    for bit, (_, target) in enumerate(outcomes(name, reader, flipped)):
        pages = written(target, SMALL)
        assert np.array_equal(target[pages], SMALL[pages]), bit


EXTRA: Final = {
    "packet": "{reader}: 1 bytes after the end of the stream",
    "table": "length table: sum is {sum}, expected {rest} (the bytes that follow)",
    "4B": "4B header: length is {before}, expected {after} (the bytes that follow)",
    "gzip": "{reader}: incomplete or truncated stream",
}
"""What is said of one byte too many; for gzip it begins another member."""


@pytest.mark.parametrize(
    ("name", "reader"),
    [(n, r) for n, r in READERS if FRAMINGS[n].scope is not Scope.CHANNEL and r != "libdeflate"],
)
def test_a_byte_too_many_is_refused(name: str, reader: str) -> None:
    payload = payload_of(name)
    shape = FRAMINGS[name]
    kind = "table" if shape.length_table else shape.container.value.removesuffix("-ext")
    expected = EXTRA.get(kind, EXTRA["packet"]).format(
        reader=reader,
        sum=len(payload) - 8,
        rest=len(payload) - 7,
        before=len(payload) - 4,
        after=len(payload) - 3,
    )

    assert refused(name, reader, payload + b"\0") == expected


@pytest.mark.parametrize("name", ["zlib-packet[window=15]", "raw-packet", "gzip-packet", "qatzip"])
def test_libdeflate_does_not_notice_what_is_behind_a_stream(name: str) -> None:
    ((accepted, target),) = outcomes(name, "libdeflate", iter([payload_of(name) + b"\0"]))

    assert accepted
    assert written(target, SMALL) == [1, 3]


@pytest.mark.parametrize("name", ["qpl", "uadk", "zlib-page[window=15]", "4b-packet"])
def test_a_size_of_its_own_makes_up_for_libdeflate(name: str) -> None:
    assert "(the bytes that follow)" in refused(name, "libdeflate", payload_of(name) + b"\0")


@pytest.mark.parametrize("name", ["zlib", "zlib-sync-page[window=15]"])
@pytest.mark.parametrize("reader", STREAMS)
def test_a_byte_behind_a_sync_flush_waits_for_the_next_packet(name: str, reader: str) -> None:
    decoder, target = PayloadDecoder(FRAMINGS[name], CODECS[reader], PAGE), blank(SMALL)
    encoder = PayloadEncoder(FRAMINGS[name], CODECS[reader], PAGE)

    decoder.decode(memoryview(bytes(encoded(encoder, SMALL, CHOSEN)) + b"\0"), target, CHOSEN)

    assert np.array_equal(target[CHOSEN], SMALL[CHOSEN])
    with pytest.raises(PayloadError):
        decoder.decode(encoded(encoder, SMALL, CHOSEN), target, CHOSEN)


def table(*lengths: int, rest: int = 0) -> bytes:
    return struct.pack(f">{len(lengths)}I", *lengths) + bytes(rest)


@pytest.mark.parametrize(
    ("name", "payload", "message"),
    [
        ("qpl", b"", "length table: payload is 0 bytes, expected more than 8"),
        ("qpl", table(4096), "length table: payload is 4 bytes, expected more than 8"),
        ("qpl", table(0, 0), "length table: payload is 8 bytes, expected more than 8"),
        (
            "qpl",
            table(1, 4097, rest=4098),
            "length table: 4097, expected at most 4096",
        ),
        ("qpl", table(10, 10, rest=19), "length table: sum is 20, expected 19 (the bytes that follow)"),
        (
            "zlib-page[window=15]",
            table(1, 4097, rest=5000),
            "length table: sum is 4098, expected 5000 (the bytes that follow)",
        ),
        (
            "4b-packet",
            b"\x01\x02",
            "4B header: length ends after 2 of 4 bytes",
        ),
    ],
)
def test_a_table_that_does_not_fit_the_payload_is_refused(name: str, payload: bytes, message: str) -> None:
    assert refused(name, "zlib", payload) == message


def page_of_stream(codec: Codec, shape: Framing, size: int) -> Pages:
    """A page of random bytes and then zeros that the codec compresses to exactly ``size`` bytes."""
    noise = np.random.default_rng(1).integers(0, 256, PAGE, np.uint8)
    for count in range(PAGE - 200, PAGE):
        page = np.zeros((1, PAGE), np.uint8)
        page[0, :count] = noise[:count]
        if len(codec.compress(page.data.cast("B"), shape.container, shape.window)) == size:
            return page
    raise AssertionError(f"{codec.name} compresses no such page to {size} bytes")


@pytest.mark.parametrize(("size", "escaped"), [(PAGE - 1, 0), (PAGE, 1), (PAGE + 1, 1)])
@pytest.mark.parametrize("name", ["qpl", "uadk"])
def test_a_page_whose_stream_is_as_long_as_itself_travels_as_it_is(name: str, size: int, escaped: int) -> None:
    # A receiver takes a length of one page for the page itself: the stream would silently become memory.
    shape, codec = FRAMINGS[name], create("zlib", {"level": 1})
    page = page_of_stream(codec, shape, size)
    encoder, target = PayloadEncoder(shape, codec, PAGE), blank(page)

    payload = encoded(encoder, page, np.zeros(1, np.uint64))
    PayloadDecoder(shape, codec, PAGE).decode(payload, target, np.zeros(1, np.uint64))

    assert (encoder.escaped, len(payload)) == (escaped, 4 + min(size, PAGE))
    assert np.array_equal(target, page)


@pytest.mark.parametrize("name", ["qpl", "uadk"])
def test_a_broken_page_is_named_and_the_pages_before_it_are_right(name: str) -> None:
    payload = bytearray(payload_of(name))
    first = int.from_bytes(payload[:4])
    payload[8 + first] = 0xFF
    target = blank(SMALL)

    with pytest.raises(PayloadError) as caught:
        PayloadDecoder(FRAMINGS[name], CODECS["zlib"], PAGE).decode(memoryview(payload), target, CHOSEN)

    assert caught.value.place.page == 1
    assert caught.value.place.offset == 8 + first
    assert written(target, SMALL) == [1]
    assert np.array_equal(target[1], SMALL[1])


def test_a_page_that_comes_out_short_is_refused_in_qemus_words() -> None:
    pages = [zlib.compress(SMALL[1].tobytes(), wbits=-15), zlib.compress(b"short", wbits=-15)]
    payload = table(*map(len, pages)) + b"".join(pages)
    target = blank(SMALL)

    with pytest.raises(PayloadError) as caught:
        PayloadDecoder(FRAMINGS["qpl"], CODECS["zlib"], PAGE).decode(memoryview(payload), target, CHOSEN)

    found = described(memoryview(pages[1]))
    assert str(caught.value) == (
        f"decompressed len 5, expected len 4096 (channel 0, page 1, byte {8 + len(pages[0])}; found {found})"
    )


@pytest.mark.parametrize("name", ["zlib", "raw-packet", "zlib-packet[window=15]", "qatzip", "zstd"])
def test_output_that_is_short_is_refused_in_qemus_words(name: str) -> None:
    codec = "zstd" if name == "zstd" else "zlib"
    one = bytes(encoded(PayloadEncoder(FRAMINGS[name], CODECS[codec], PAGE), SMALL, CHOSEN[:1]))

    assert refused(name, codec, one) == "multifd 0: packet size received 4096 size expected 8192"


@pytest.mark.parametrize(("name", "reader"), READERS)
def test_a_payload_of_more_pages_than_were_announced_is_refused(name: str, reader: str) -> None:
    everything = np.arange(5, dtype=np.uint64)
    encoder = PayloadEncoder(FRAMINGS[name], CODECS[maker(name, reader)], PAGE)

    refused(name, reader, bytes(encoded(encoder, SMALL, everything)))


@pytest.mark.parametrize("reader", STREAMS)
def test_a_bomb_in_a_stream_is_refused_for_one_byte_too_many(reader: str) -> None:
    stream = zlib.compressobj()
    payload = stream.compress(bytes(1 << 24)) + stream.flush(zlib.Z_SYNC_FLUSH)

    assert refused("zlib", reader, payload) == "multifd 0: packet size received 8193 size expected 8192"


def test_a_stream_that_ends_is_refused_where_it_should_go_on() -> None:
    assert refused("zlib", "zlib", payload_of("zlib-packet[window=15]")) == (
        "multifd 0: inflate returned 1 instead of Z_OK"
    )


def test_a_stream_that_goes_on_is_refused_where_it_should_end() -> None:
    assert refused("zlib-packet[window=15]", "zlib", payload_of("zlib")) == ("zlib: incomplete or truncated stream")


def test_a_codec_without_streams_fails_at_a_stream() -> None:
    assert refused("zlib", "libdeflate", payload_of("zlib")) == "libdeflate: Decompression failed"


# --- framings as data ---------------------------------------------------------------------------------------


def test_the_methods_of_qemu_come_first() -> None:
    assert METHOD_FRAMINGS == ("none", "zlib", "zstd", "qpl", "uadk", "qatzip")
    assert tuple(FRAMINGS) == (*METHOD_FRAMINGS, *PROPOSALS)


def test_every_framing_has_an_origin_and_travels_as_a_method() -> None:
    assert all(shape.origin for shape in FRAMINGS.values())
    assert {shape.travels_as for shape in FRAMINGS.values()} == set(METHOD_FRAMINGS)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("none", "pages as they are"),
        ("zlib", "container zlib, one stream per channel, flush sync-packet, window 32768"),
        (
            "qpl",
            "container raw, one stream per page, flush finish, window 4096, length table, pages that do not shrink raw",
        ),
        (
            "zlib-page[window=12]",
            "container zlib, one stream per page, flush finish, window 4096, length table",
        ),
    ],
)
def test_a_framing_describes_itself(name: str, shape: str) -> None:
    assert FRAMINGS[name].shape() == shape


def test_a_name_without_brackets_means_the_full_window() -> None:
    assert framing("zlib-packet") is FRAMINGS["zlib-packet[window=15]"]
    assert framing("raw-packet") is FRAMINGS["raw-packet"]


def test_an_unknown_framing_is_named() -> None:
    with pytest.raises(InputError) as caught:
        framing("lz4")

    assert str(caught.value) == f"framing 'lz4' is unknown; expected one of {', '.join(FRAMINGS)}"


def test_capabilities_are_declared_as_plain_data() -> None:
    encoder, decoder = CODECS["libdeflate"].encoder, CODECS["libdeflate"].decoder
    assert encoder is not None and decoder is not None

    assert declared(encoder) == {
        "containers": ["4B", "gzip", "gzip-ext", "raw", "zlib"],
        "streaming": False,
        "windows": [15],
        "shrinks": True,
        "member": None,
        "reach": 15,
        "forgets": False,
        "whole_below": 0,
        "stores": False,
    }
    assert declared(decoder) == {
        "containers": ["4B", "gzip", "gzip-ext", "raw", "zlib"],
        "streaming": False,
        "window": 15,
        "header_window": True,
        "members": [],
        "checks_trailer": True,
        "needs_end": True,
        "skips_header": [],
        "needs_trailer": True,
        "checks_end": False,
        "member": None,
    }
