"""What codecs declare is what they do: each capability is tried on the real library."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
import zstandard
from typing_extensions import Buffer

from multifd.codec import create
from multifd.errors import PayloadError, Unsupported
from multifd.framing.coder import (
    Codec,
    DecoderCapability,
    EncoderCapability,
    compressor_of,
    decompressor_of,
)
from multifd.framing.container import Container, parse, trailer, unwrap_four_b, wrap, zlib_header
from multifd.framing.deflate import walk

PAGE: Final = 4096
TEXT: Final = (b"all work and no play makes a dull page, " * 103)[:PAGE]

SOFTWARE: Final = ("isal", "libdeflate", "none", "zlib", "zlib-ng", "zstd")
"""Codecs that stand for no accelerator; those that do have tests of their own."""

VARIANTS: Final = {
    codec.name: codec
    for codec in (
        *(create(name) for name in SOFTWARE),
        *(create("zlib", {"window": window}) for window in range(9, 15)),
        *(create("zlib", {"level": level}) for level in (0, 6, 9)),
        *(create("zlib-ng", {"level": level}) for level in (0, 2, 6, 9)),
        *(create("isal", {"level": level}) for level in (0, 2, 3)),
        *(create("libdeflate", {"level": level}) for level in (0, 6, 12)),
        create("zstd", {"level": 19}),
    )
}
"""Every codec, every window of zlib and the levels that work differently."""

CODERS: Final = [name for name in VARIANTS if name != "none"]
DEFLATES: Final = [name for name in CODERS if not name.startswith("zstd")]
LIMITED: Final = [name for name in DEFLATES if not name.startswith("libdeflate")]
"""Encoders with a choice of windows."""


def encoder_of(codec: Codec) -> EncoderCapability:
    assert codec.encoder is not None
    return codec.encoder


def decoder_of(codec: Codec) -> DecoderCapability:
    assert codec.decoder is not None
    return codec.decoder


def widest(codec: Codec) -> int:
    return max(encoder_of(codec).windows)


def plain(codec: Codec, container: Container) -> bytes:
    """:data:`TEXT` as a complete stream that the codec must be able to read, whoever made it."""
    window = decoder_of(codec).window
    match container:
        case Container.ZSTD:
            return zstandard.compress(TEXT)
        case Container.ZLIB:
            return deflated(TEXT, window)
        case Container.GZIP | Container.GZIP_EXT:
            return deflated(TEXT, 16 + window)
        case Container.FOUR_B:
            return wrap(deflated(TEXT, -window), TEXT, container)
        case _:
            return deflated(TEXT, -window)


def deflated(data: bytes, wbits: int) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, wbits)
    return stream.compress(data) + stream.flush()


def refusal(codec: Codec, data: bytes, container: Container, size: int = PAGE) -> str:
    with pytest.raises(PayloadError) as caught:
        codec.decompress(data, container, size)
    return str(caught.value)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_codec_has_a_name_and_the_version_of_its_library(name: str) -> None:
    codec = VARIANTS[name]

    assert codec.name == name
    assert codec.version[0].isdigit()


# --- containers ---------------------------------------------------------------------------------------------

EMITTED: Final = [(name, each) for name in CODERS for each in sorted(encoder_of(VARIANTS[name]).containers)]
READ: Final = [(name, each) for name in CODERS for each in sorted(decoder_of(VARIANTS[name]).containers)]


@pytest.mark.parametrize(("name", "container"), EMITTED)
def test_a_complete_stream_is_in_its_container(name: str, container: Container) -> None:
    codec = VARIANTS[name]
    stream = bytes(codec.compress(TEXT, container, widest(codec)))

    match container:
        case Container.ZSTD:
            assert zstandard.ZstdDecompressor().decompress(stream, PAGE) == TEXT
        case Container.ZLIB:
            assert zlib.decompress(stream, 15) == TEXT
        case Container.GZIP | Container.GZIP_EXT:
            assert parse(stream, container).container is container
            assert zlib.decompress(stream, 31) == TEXT
        case Container.FOUR_B:
            assert zlib.decompress(unwrap_four_b(stream), -15) == TEXT
        case _:
            assert zlib.decompress(stream, -15) == TEXT


@pytest.mark.parametrize(("name", "container"), READ)
def test_a_complete_stream_is_read(name: str, container: Container) -> None:
    codec = VARIANTS[name]

    assert bytes(codec.decompress(plain(codec, container), container, PAGE)) == TEXT


@pytest.mark.parametrize(("name", "container"), READ)
def test_fewer_bytes_than_asked_for_are_returned(name: str, container: Container) -> None:
    codec = VARIANTS[name]

    assert len(memoryview(codec.decompress(plain(codec, container), container, 2 * PAGE))) == PAGE


@pytest.mark.parametrize(("name", "container"), READ)
def test_more_bytes_than_asked_for_are_refused(name: str, container: Container) -> None:
    codec = VARIANTS[name]

    assert refusal(codec, plain(codec, container), container, PAGE - 1).startswith(f"{codec.name.split('[')[0]}")


@pytest.mark.parametrize(("name", "container"), READ)
def test_every_prefix_of_a_complete_stream_is_refused(name: str, container: Container) -> None:
    codec = VARIANTS[name]
    stream = plain(codec, container)

    for size in range(len(stream)):
        refusal(codec, stream[:size], container)


# --- encoders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CODERS)
def test_shrinks_says_whether_a_page_gets_smaller(name: str) -> None:
    codec = VARIANTS[name]
    container = Container.ZSTD if name.startswith("zstd") else Container.RAW

    stream = memoryview(codec.compress(TEXT, container, widest(codec)))

    assert (len(stream) < PAGE) is encoder_of(codec).shrinks


def sync_flushed(codec: Codec, container: Container, window: int, *packets: bytes) -> list[bytes]:
    stream = compressor_of(codec, container, window)
    return [stream.compress(packet) + stream.sync() for packet in packets]


@pytest.mark.parametrize("name", CODERS)
def test_streaming_says_whether_an_encoder_can_sync_flush(name: str) -> None:
    codec = VARIANTS[name]
    container = Container.ZSTD if name.startswith("zstd") else Container.ZLIB

    if not encoder_of(codec).streaming:
        with pytest.raises(Unsupported) as caught:
            compressor_of(codec, container, 15)
        assert (caught.value.capability, str(caught.value)) == ("streaming", f"{name} has no streams")
        return
    first, second = sync_flushed(codec, container, widest(codec), TEXT, TEXT)

    reader: Callable[[bytes], bytes] = (
        zstandard.ZstdDecompressor().decompressobj() if name.startswith("zstd") else zlib.decompressobj()
    ).decompress
    assert (reader(first), reader(second)) == (TEXT, TEXT)


@pytest.mark.parametrize("name", ["zstd", "zstd[level=19]"])
def test_a_zstd_stream_has_a_copy_of_what_it_took(name: str) -> None:
    pages = bytearray(TEXT * 128)
    stream = compressor_of(VARIANTS[name], Container.ZSTD, 19)

    begun = stream.compress(pages)
    pages[:] = bytes(len(pages))
    payload = begun + stream.sync()

    assert zstandard.ZstdDecompressor().decompressobj().decompress(payload) == TEXT * 128


def periodic(period: int, size: int) -> bytes:
    """Noise that repeats, so that matches are ``period`` bytes back or a multiple of it, or none."""
    return np.resize(np.random.default_rng(period).integers(0, 256, period, np.uint8), size).tobytes()


def farthest(codec: Codec, data: bytes, window: int) -> int:
    """The largest distance of a match in a complete stream and in a flushed one."""
    complete = bytes(codec.compress(data, Container.RAW, window))
    third = len(data) // 3
    packets = (data[:third], data[third : 2 * third], data[2 * third :])
    streams = [complete]
    if encoder_of(codec).streaming:
        streams.append(b"".join(sync_flushed(codec, Container.RAW, window, *packets)))
    return max(walk(stream).max_distance for stream in streams)


@pytest.mark.parametrize("period", [1000, 4096, 4097, 5000])
@pytest.mark.parametrize("name", [name for name in LIMITED if 12 in encoder_of(VARIANTS[name]).windows])
def test_an_encoder_limited_to_12_bits_stays_within_4096_bytes(name: str, period: int) -> None:
    assert farthest(VARIANTS[name], periodic(period, 20_000), 12) <= 4096


@pytest.mark.parametrize("name", ["isal", "zlib", "zlib-ng"])
def test_an_encoder_with_more_than_12_bits_goes_beyond_4096_bytes(name: str) -> None:
    assert farthest(VARIANTS[name], periodic(5000, 20_000), 13) == 5000


@pytest.mark.parametrize(
    ("name", "window"), [(name, w) for name in LIMITED for w in sorted(encoder_of(VARIANTS[name]).windows)]
)
def test_an_encoder_stays_within_each_window_that_it_declares(name: str, window: int) -> None:
    size = 1 << window

    for period in (size - 300, size - 1, size, size + 1):
        assert farthest(VARIANTS[name], periodic(period, 3 * size), window) <= size


@pytest.mark.parametrize(
    ("name", "reach"),
    [("isal", 1 << 15), ("libdeflate", (1 << 15) - 1), ("zlib", (1 << 15) - 262), ("zlib-ng", (1 << 15) - 262)],
)
def test_how_much_of_a_window_encoders_use(name: str, reach: int) -> None:
    assert farthest(VARIANTS[name], periodic(reach, 5 << 15), 15) == reach
    assert farthest(VARIANTS[name], periodic(reach + 1, 5 << 15), 15) < reach


@pytest.mark.parametrize(
    ("name", "window"), [(name, w) for name in DEFLATES for w in sorted(encoder_of(VARIANTS[name]).windows)]
)
def test_a_zlib_header_announces_the_window(name: str, window: int) -> None:
    codec = VARIANTS[name]
    streams = [codec.compress(TEXT, Container.ZLIB, window)]
    if encoder_of(codec).streaming:
        streams += sync_flushed(codec, Container.ZLIB, window, TEXT)

    assert {parse(stream, Container.ZLIB).window for stream in streams} == {1 << window}


@pytest.mark.parametrize("window", sorted(encoder_of(VARIANTS["zstd"]).windows))
def test_a_zstd_frame_has_the_window_and_no_size_and_no_checksum(window: int) -> None:
    (frame,) = sync_flushed(VARIANTS["zstd"], Container.ZSTD, window, TEXT)

    parameters = zstandard.get_frame_parameters(frame)

    assert parameters.window_size == 1 << window
    assert parameters.content_size == zstandard.CONTENTSIZE_UNKNOWN
    assert not parameters.has_checksum


# --- decoders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "container"), READ)
def test_streaming_says_whether_a_decoder_goes_on_from_packet_to_packet(name: str, container: Container) -> None:
    codec = VARIANTS[name]
    if not decoder_of(codec).streaming:
        with pytest.raises(Unsupported) as caught:
            decompressor_of(codec, container)
        assert (caught.value.capability, str(caught.value)) == ("streaming", f"{name} has no streams")
        return
    maker = VARIANTS["zstd" if container is Container.ZSTD else "zlib"]
    written_as = Container.GZIP if container is Container.GZIP_EXT else container
    window = min(decoder_of(codec).window, widest(maker))
    packets = sync_flushed(maker, written_as, window, TEXT, TEXT[::-1])
    stream = decompressor_of(codec, container)

    pages = [bytes(stream.decompress(packet, PAGE)) for packet in packets]

    assert (pages, stream.ended) == ([TEXT, TEXT[::-1]], False)


@pytest.mark.parametrize("name", LIMITED)
def test_a_deflate_stream_tells_that_it_has_ended(name: str) -> None:
    codec = VARIANTS[name]
    stream = decompressor_of(codec, Container.ZLIB)

    stream.decompress(plain(codec, Container.ZLIB), PAGE)

    assert stream.ended


@pytest.mark.parametrize("name", [name for name in DEFLATES if decoder_of(VARIANTS[name]).window == 15])
@pytest.mark.parametrize("container", [Container.ZLIB, Container.RAW])
def test_a_decoder_of_15_bits_takes_the_farthest_distance_of_deflate(name: str, container: Container) -> None:
    data = periodic(1 << 15, 5 << 15)
    stream = bytes(VARIANTS["isal"].compress(data, container, 15))

    assert walk(stream, start=2 if container is Container.ZLIB else 0).max_distance == 1 << 15
    assert bytes(VARIANTS[name].decompress(stream, container, len(data))) == data


@pytest.mark.parametrize("name", [name for name in LIMITED if decoder_of(VARIANTS[name]).window < 15])
def test_a_decoder_with_a_smaller_window_takes_streams_that_keep_to_it(name: str) -> None:
    codec = VARIANTS[name]
    window = decoder_of(codec).window
    data = periodic(1 << window, 5 << window)
    stream = bytes(VARIANTS["isal"].compress(data, Container.ZLIB, window))

    assert walk(stream, start=2).max_distance == 1 << window
    assert bytes(codec.decompress(stream, Container.ZLIB, len(data))) == data


def announcing(bits: int) -> bytes:
    """A zlib header for a window of ``bits``, which may be more than RFC 1950 allows (15)."""
    if bits <= 15:
        return zlib_header(bits)
    header = (bits - 8) << 12 | 8 << 8
    return (header + -header % 31).to_bytes(2)


@pytest.mark.parametrize("name", DEFLATES)
def test_header_window_says_whether_a_zlib_header_beyond_the_window_is_refused(name: str) -> None:
    codec = VARIANTS[name]
    capability = decoder_of(codec)
    body = deflated(TEXT, capability.window)[2:]

    for bits in range(9, capability.window + 1):
        assert bytes(codec.decompress(announcing(bits) + body, Container.ZLIB, PAGE)) == TEXT
    beyond = announcing(capability.window + 1)

    if not capability.header_window:
        assert bytes(codec.decompress(beyond + body, Container.ZLIB, PAGE)) == TEXT
        return
    refusal(codec, beyond + body, Container.ZLIB)
    if capability.streaming:
        with pytest.raises(PayloadError, match="invalid window size"):
            decompressor_of(codec, Container.ZLIB).decompress(beyond, PAGE)


def zstd_frame(window_bits: int, content: bytes) -> bytes:
    """A frame of one raw block that announces this window (RFC 8878, sections 3.1.1.1 and 3.1.1.2)."""
    header = b"\x28\xb5\x2f\xfd" + bytes((0, (window_bits - 10) << 3))
    return header + (len(content) << 3 | 1).to_bytes(3, "little") + content


def test_a_zstd_decoder_takes_windows_up_to_its_own_and_refuses_more_at_the_header() -> None:
    codec = VARIANTS["zstd"]
    window = 27

    assert decoder_of(codec).window == window
    assert bytes(codec.decompress(zstd_frame(window, b"page"), Container.ZSTD, PAGE)) == b"page"
    with pytest.raises(PayloadError) as caught:
        decompressor_of(codec, Container.ZSTD).decompress(zstd_frame(window + 1, b"page")[:6], PAGE)

    assert decoder_of(codec).header_window
    assert str(caught.value) == ("zstd: zstd decompress error: Frame requires too much memory for decoding")


MEMBERED: Final = [(name, each) for name, each in READ if each in (Container.GZIP, Container.GZIP_EXT, Container.ZSTD)]


@pytest.mark.parametrize(("name", "container"), MEMBERED)
def test_members_says_how_many_of_them_are_decoded(name: str, container: Container) -> None:
    codec = VARIANTS[name]
    whole = 3 if container in decoder_of(codec).members else 1

    output = codec.decompress(3 * plain(codec, container), container, 3 * PAGE)

    assert bytes(output) == whole * TEXT


@pytest.mark.parametrize(("name", "container"), [row for row in MEMBERED if not row[0].startswith("libdeflate")])
def test_all_members_together_may_not_be_more_than_asked_for(name: str, container: Container) -> None:
    codec = VARIANTS[name]

    assert "more" in refusal(codec, 3 * plain(codec, container), container, 3 * PAGE - 1)


@pytest.mark.parametrize(("name", "container"), [row for row in MEMBERED if not row[0].startswith("libdeflate")])
def test_the_last_member_must_be_complete(name: str, container: Container) -> None:
    codec = VARIANTS[name]

    message = refusal(codec, (2 * plain(codec, container))[:-1], container, 2 * PAGE)

    assert "incomplete or truncated" in message


@pytest.mark.parametrize(
    ("name", "container"), [(name, each) for name, each in READ if each in (Container.ZLIB, Container.RAW)]
)
def test_a_second_stream_where_there_are_no_members_is_seen_where_the_end_is_known(
    name: str, container: Container
) -> None:
    codec = VARIANTS[name]
    stream = plain(codec, container)

    if not decoder_of(codec).members:
        assert bytes(codec.decompress(2 * stream, container, 2 * PAGE)) == TEXT
        return
    message = refusal(codec, 2 * stream, container, 2 * PAGE)

    assert message == f"{codec.name}: {len(stream)} bytes after the end of the stream"


def gzip_with(stream: bytes, *, crc_change: int = 0, size_change: int = 0) -> bytes:
    crc, size = struct.unpack("<II", stream[-8:])
    return stream[:-8] + trailer(crc ^ crc_change, size ^ size_change)


def wrong_trailers(codec: Codec, container: Container) -> list[bytes]:
    """Streams in which nothing but a checksum or the size of the data is wrong."""
    stream = plain(codec, container)
    match container:
        case Container.ZLIB:
            return [stream[:-1] + bytes((stream[-1] ^ 1,))]
        case Container.GZIP | Container.GZIP_EXT:
            return [gzip_with(stream, crc_change=1), gzip_with(stream, size_change=1)]
        case _:
            frame = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT)
            return [frame[:-1] + bytes((frame[-1] ^ 1,))]


@pytest.mark.parametrize(
    ("name", "container"),
    [(name, each) for name, each in READ if each not in (Container.RAW, Container.FOUR_B)],
)
def test_checks_trailer_says_whether_a_wrong_checksum_is_an_error(name: str, container: Container) -> None:
    codec = VARIANTS[name]

    for stream in wrong_trailers(codec, container):
        refusal(codec, stream, container)

    assert decoder_of(codec).checks_trailer


OPEN: Final = {Container.RAW: -12, Container.ZLIB: 12, Container.GZIP: 16 + 12}
"""zlib's ``wbits`` for streams without end."""


@pytest.mark.parametrize(("name", "container"), [(name, each) for name, each in READ if each in OPEN])
def test_needs_end_says_whether_a_stream_without_one_is_an_error(name: str, container: Container) -> None:
    codec, stream = VARIANTS[name], zlib.compressobj(wbits=OPEN[container])

    refusal(codec, stream.compress(TEXT) + stream.flush(zlib.Z_SYNC_FLUSH), container)

    assert decoder_of(codec).needs_end


# --- output bombs -------------------------------------------------------------------------------------------

BOMB: Final = bytes(64 << 20)
SIZE: Final = 2 * PAGE


def bomb(name: str) -> tuple[bytes, Container]:
    """64 MiB of zeros as a complete stream of some 64 KiB at most."""
    if name == "zstd":
        return zstandard.compress(BOMB), Container.ZSTD
    return zlib.compress(BOMB, 9), Container.ZLIB


BOMBS: Final = {name: bomb(name) for name in ("zstd", "zlib")}


def peak(work: Callable[[], object]) -> int:
    """Bytes of Python's memory at the height of ``work``, above what there was before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["isal", "libdeflate", "zlib", "zlib-ng", "zstd"])
def test_a_complete_bomb_is_refused_in_little_memory(name: str) -> None:
    stream, container = BOMBS["zstd" if name == "zstd" else "zlib"]

    assert peak(lambda: refusal(VARIANTS[name], stream, container, SIZE)) < 2 << 20


@pytest.mark.parametrize("name", ["isal", "zlib", "zlib-ng"])
def test_a_streamed_bomb_gives_one_byte_too_many_and_no_more(name: str) -> None:
    stream, container = BOMBS["zlib"]
    decoder = decompressor_of(VARIANTS[name], container)
    output: list[Buffer] = []

    used = peak(lambda: output.append(decoder.decompress(stream, SIZE)))

    assert len(memoryview(output[0])) == SIZE + 1
    assert used < 2 << 20


def test_a_streamed_zstd_bomb_is_refused_in_little_memory() -> None:
    stream, container = BOMBS["zstd"]
    decoder = decompressor_of(VARIANTS["zstd"], container)

    def decode() -> None:
        with pytest.raises(PayloadError, match=r"^zstd: more output than the pages can hold$"):
            decoder.decompress(stream, SIZE)

    assert peak(decode) < 2 << 20


def test_members_cannot_add_up_to_a_bomb() -> None:
    member = deflated(bytes(SIZE), 31)

    assert peak(lambda: refusal(VARIANTS["zlib"], 2000 * member, Container.GZIP, SIZE)) < 2 << 20
