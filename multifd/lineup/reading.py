"""What is tried of a receiver, by field of its capability (:mod:`.trials`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from multifd.framing.coder import DecoderCapability
from multifd.framing.container import Container
from multifd.lineup import samples
from multifd.lineup.case import CODED, Case, Outputs, preferred
from multifd.lineup.samples import NOISE, TEXT

_TRAILED: Final = (Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.ZSTD)
_HEADED: Final = (Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B, Container.ZSTD)
_ADLER: Final = 4
"""Bytes of zlib's checksum."""
_PIECE: Final = 64 << 10
"""Bytes of a member that is not the last."""


def _reads(
    capability: str,
    what: str,
    able: bool,
    container: Container,
    given: Sequence[bytes],
    wanted: Sequence[bytes],
    **more: Any,
) -> Case:
    lengths = tuple(map(len, wanted))
    return Case("receiver", capability, what, able, container, tuple(given), partial(_equal, wanted), lengths, **more)


def _equal(wanted: Sequence[bytes], outputs: Outputs) -> bool:
    return list(outputs) == list(wanted)


def _read_containers(decoder: DecoderCapability) -> Iterator[Case]:
    for each in CODED:
        sample = samples.compressed(TEXT, each)
        yield _reads("containers", f"container {each}", each in decoder.containers, each, [sample], [TEXT])


def _read_streams(decoder: DecoderCapability) -> Iterator[Case]:
    for each in preferred(decoder.containers):
        packets = (TEXT, NOISE, TEXT)
        given = samples.flushed(packets, each)
        yield _reads(
            "streaming",
            "a stream that goes on from packet to packet",
            decoder.streaming,
            each,
            given,
            packets,
            stream=True,
        )


def _read_window(decoder: DecoderCapability) -> Iterator[Case]:
    window = decoder.window
    for each in preferred(decoder.containers - {Container.ZLIB}) or preferred(decoder.containers):
        if each is Container.ZSTD:
            for bits in (window, window + 1):
                sample = samples.frame(NOISE, bits)
                yield _reads("window", f"a frame's window of {bits} bits", bits == window, each, [sample], [NOISE])
            continue
        for distance in (1 << window, (1 << window) + 1):
            if distance <= 1 << 15:
                near = distance == 1 << window
                sample, data = samples.reaching(distance, each, window if near else window + 1)
                yield _reads("window", f"a distance of {distance} bytes", near, each, [sample], [data])


def _read_header_window(decoder: DecoderCapability) -> Iterator[Case]:
    able, bits = not decoder.header_window, decoder.window + 1
    what = f"a header that announces {bits} bits, before data that keeps to less"
    if Container.ZLIB in decoder.containers:
        raw = samples.compressed(TEXT, Container.RAW)
        sample = samples.around(raw, TEXT, Container.ZLIB, bits)
        yield _reads("header_window", what, able, Container.ZLIB, [sample], [TEXT])
    elif Container.ZSTD in decoder.containers:
        yield _reads("header_window", what, able, Container.ZSTD, [samples.frame(TEXT, bits)], [TEXT])


def _read_members(decoder: DecoderCapability) -> Iterator[Case]:
    for each in CODED:
        if each in decoder.containers:
            first = (TEXT * 128)[: decoder.member or _PIECE]
            sample = samples.compressed(first, each) + samples.compressed(TEXT, each)
            able = each in decoder.members
            yield _reads("members", f"two members, container {each}", able, each, [sample], [first + TEXT])


def _read_small_members(decoder: DecoderCapability) -> Iterator[Case]:
    if Container.FOUR_B in decoder.members:
        first = TEXT[: (decoder.member or _PIECE) // 2]
        sample = samples.compressed(first, Container.FOUR_B) * 2
        able, what = decoder.member is None, f"a member of {len(first)} bytes before another, container 4B"
        yield _reads("member", what, able, Container.FOUR_B, [sample], [first * 2])


def _read_trailers(decoder: DecoderCapability) -> Iterator[Case]:
    for each in _TRAILED:
        if each in decoder.containers:
            what = f"a wrong checksum, container {each}"
            yield _reads(
                "checks_trailer", what, not decoder.checks_trailer, each, [samples.damaged(TEXT, each)], [TEXT]
            )


def _read_without_end(decoder: DecoderCapability) -> Iterator[Case]:
    for each in preferred(decoder.containers):
        given = samples.flushed((TEXT,), each)
        what = "a stream that does not end, all of whose output is there"
        yield _reads("needs_end", what, not decoder.needs_end, each, given, [TEXT])


def _read_headers(decoder: DecoderCapability) -> Iterator[Case]:
    for each in _HEADED:
        if each in decoder.containers:
            sample = bytearray(samples.compressed(NOISE, each))
            sample[0] ^= 1
            what = f"a header with a wrong first byte, container {each}"
            yield _reads("skips_header", what, each in decoder.skips_header, each, [bytes(sample)], [NOISE])


def _read_without_trailer(decoder: DecoderCapability) -> Iterator[Case]:
    if Container.ZLIB in decoder.containers:
        sample = samples.compressed(TEXT, Container.ZLIB)[:-_ADLER]
        yield _reads(
            "needs_trailer",
            "a stream without its checksum",
            not decoder.needs_trailer,
            Container.ZLIB,
            [sample],
            [TEXT],
        )


def _read_behind(decoder: DecoderCapability) -> Iterator[Case]:
    for each in preferred(decoder.containers - decoder.members - {Container.FOUR_B}):
        sample = samples.compressed(TEXT, each) + NOISE[:_ADLER]
        what = "bytes behind the stream"
        yield _reads("checks_end", what, not decoder.checks_end, each, [sample], [TEXT])


DECODER: Final[Mapping[str, Callable[[DecoderCapability], Iterator[Case]]]] = {
    "containers": _read_containers,
    "streaming": _read_streams,
    "window": _read_window,
    "header_window": _read_header_window,
    "members": _read_members,
    "checks_trailer": _read_trailers,
    "member": _read_small_members,
    "needs_end": _read_without_end,
    "skips_header": _read_headers,
    "needs_trailer": _read_without_trailer,
    "checks_end": _read_behind,
}
"""By field of the capability."""
