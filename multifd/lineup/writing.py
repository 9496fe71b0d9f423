"""What is tried of a sender, by field of its capability (:mod:`.trials`)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import zstandard

from multifd.errors import PayloadError
from multifd.framing.coder import EncoderCapability
from multifd.framing.container import Container, parse
from multifd.framing.deflate import walk
from multifd.lineup import samples
from multifd.lineup.case import CODED, Case, Outputs, preferred
from multifd.lineup.samples import NOISE, TEXT

_ZSTD_WINDOWS: Final = range(10, 28)
_SHORTEST_REACH: Final = 10
"""zlib uses less than half of a window of 9 bits (:data:`.samples.MARGIN`)."""
_STREAM_WINDOW: Final = 17
_LARGEST_MEMBER: Final = 512 << 10
"""Bytes: a packet. Whoever begins no new member in it has none to begin."""
_OFTEN: Final = 16
"""Inputs, of which some show what is done now and then."""
_PACKETS: Final = (TEXT, NOISE, TEXT + NOISE, NOISE[:1000], bytes(4096), NOISE + TEXT, TEXT[:500], NOISE, TEXT)


def _writes(
    encoder: EncoderCapability,
    capability: str,
    what: str,
    able: bool,
    container: Container,
    given: Sequence[bytes],
    done: Callable[[Outputs], bool],
    window: int | None = None,
    *,
    stream: bool = False,
) -> Case:
    if window is None:
        window = encoder.limit(_STREAM_WINDOW if container is Container.ZSTD else 15) or 15
    return Case("sender", capability, what, able, container, tuple(given), done, window=window, stream=stream)


def _write_containers(encoder: EncoderCapability) -> Iterator[Case]:
    text = TEXT[: encoder.member]
    for each in CODED:
        able, done = each in encoder.containers, partial(_in_container, each, text)
        yield _writes(encoder, "containers", f"container {each}", able, each, [text], done)


def _write_streams(encoder: EncoderCapability) -> Iterator[Case]:
    for each in preferred(encoder.containers):
        done = partial(_followed, each)
        what = "packets that a reader can follow one by one"
        yield _writes(encoder, "streaming", what, encoder.streaming, each, _PACKETS, done, stream=True)


def _write_windows(encoder: EncoderCapability) -> Iterator[Case]:
    for each in preferred(encoder.containers):
        zstd = each is Container.ZSTD
        content = TEXT if zstd else samples.repeats()
        # Without a header that announces it, a larger window than the largest is kept, too.
        largest = 15 if each is Container.ZLIB else max(encoder.windows, default=15)
        for bits in _ends(encoder.windows) if zstd else range(9, largest + 1):
            able, what = bits in encoder.windows, f"a window of {bits} bits"
            done = partial(_kept, each, bits)
            yield _writes(encoder, "windows", what, able, each, [content], done, bits, stream=zstd)


def _ends(windows: frozenset[int]) -> list[int]:
    """The least and the largest, and those just outside: for each, zstd makes tables of its own."""
    least, largest = min(windows, default=0), max(windows, default=0)
    return [bits for bits in (least - 1, least, largest, largest + 1) if bits in _ZSTD_WINDOWS]


def _write_smaller(encoder: EncoderCapability) -> Iterator[Case]:
    for each in preferred(encoder.containers):
        yield _writes(encoder, "shrinks", "text made smaller", encoder.shrinks, each, [TEXT], _smaller)


def _write_reach(encoder: EncoderCapability) -> Iterator[Case]:
    for each in preferred(encoder.containers):
        if encoder.shrinks and each is not Container.ZSTD:
            reach = min(encoder.reach, max(encoder.windows, default=15))
            for bits in range(max(reach, _SHORTEST_REACH), min(reach + 1, 15) + 1):
                what, able = f"a match more than {1 << bits - 1} bytes back", bits == reach
                content, done = samples.repeated(bits), partial(_reached, each, bits)
                yield _writes(encoder, "reach", what, able, each, [content], done)


def _write_members(encoder: EncoderCapability) -> Iterator[Case]:
    for each in preferred(encoder.containers - {Container.RAW, Container.FOUR_B}):
        size = _LARGEST_MEMBER + 1
        count = encoder.members(size, each)
        done = partial(_counted, each, count)
        yield _writes(encoder, "member", f"{count} members for {size} bytes", True, each, [bytes(size)], done)


def _write_whole(encoder: EncoderCapability) -> Iterator[Case]:
    for each in preferred(encoder.containers - {Container.RAW, Container.FOUR_B}):
        if encoder.member is not None:
            pieces = max(encoder.whole_below, encoder.member + 1)
            for size in (pieces - 1, pieces):
                count = encoder.members(size, each)
                done, what = partial(_counted, each, count), f"{count} members for {size} bytes"
                yield _writes(encoder, "whole_below", what, True, each, [bytes(size)], done)


def _write_stored(encoder: EncoderCapability) -> Iterator[Case]:
    for each in preferred(encoder.containers - {Container.FOUR_B}):
        if encoder.shrinks and not encoder.stores:
            piece = encoder.member or len(TEXT)
            text = TEXT * -(-max(piece, encoder.whole_below) // len(TEXT))
            what, done = "text that is not made smaller now and then", partial(_larger, each)
            yield _writes(encoder, "stores", what, False, each, [text] * _OFTEN, done)


def _write_forgetting(encoder: EncoderCapability) -> Iterator[Case]:
    for each in preferred(encoder.containers):
        if encoder.streaming and encoder.shrinks and each is not Container.ZSTD:
            what = "a packet that is read without the one before"
            yield _writes(encoder, "forgets", what, encoder.forgets, each, [TEXT, TEXT], _apart, stream=True)


ENCODER: Final[Mapping[str, Callable[[EncoderCapability], Iterator[Case]]]] = {
    "containers": _write_containers,
    "streaming": _write_streams,
    "windows": _write_windows,
    "shrinks": _write_smaller,
    "reach": _write_reach,
    "member": _write_members,
    "forgets": _write_forgetting,
    "whole_below": _write_whole,
    "stores": _write_stored,
}
"""By field of the capability."""


def _reader(container: Container) -> Any:
    """A reader by a library that is not the peer's."""
    if container is Container.ZSTD:
        return zstandard.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOWS[-1]).decompressobj()
    return zlib.decompressobj({Container.ZLIB: 15, Container.GZIP: 31, Container.GZIP_EXT: 31}.get(container, -15))


def _in_container(container: Container, text: bytes, outputs: Outputs) -> bool:
    (stream,) = outputs
    header = parse(stream, container)
    payload = stream[header.length :] if container is Container.FOUR_B else stream
    reader = _reader(container)
    return (
        header.container is container and reader.decompress(payload) == text and reader.eof and not reader.unused_data
    )


def _followed(container: Container, outputs: Outputs) -> bool:
    return lost_in(container, outputs) is None


def lost_in(container: Container, outputs: Outputs) -> str | None:
    """Where a reader cannot follow a stream of the packets that are tried, None if it can to the end."""
    reader = _reader(container)
    for number, (part, packet) in enumerate(zip(outputs, _PACKETS, strict=True), 1):
        try:
            read = reader.decompress(part)
        except (zlib.error, zstandard.ZstdError) as problem:
            return f"packet {number} of {len(_PACKETS)}: {problem}"
        if reader.eof:
            return f"packet {number} of {len(_PACKETS)} ends the stream"
        if read != packet:
            return f"of packet {number} of {len(_PACKETS)} {len(read)} of {len(packet)} bytes can be read"
    return None


def _farthest(container: Container, stream: bytes) -> int:
    return walk(stream[parse(stream, container).length :]).max_distance


def _kept(container: Container, bits: int, outputs: Outputs) -> bool:
    (stream,) = outputs
    if container is Container.ZSTD:
        return zstandard.get_frame_parameters(stream).window_size == 1 << bits
    announced, farthest = parse(stream, container).window, _farthest(container, stream)
    return farthest <= 1 << bits and announced in (None, 1 << bits)


def _reached(container: Container, bits: int, outputs: Outputs) -> bool:
    (stream,) = outputs
    return _farthest(container, stream) > 1 << bits - 1


def _smaller(outputs: Outputs) -> bool:
    (stream,) = outputs
    return len(stream) < len(TEXT)


def _counted(container: Container, count: int, outputs: Outputs) -> bool:
    (payload,) = outputs
    return len(list(_members(container, payload))) == count


def _larger(container: Container, outputs: Outputs) -> bool:
    return any(size > data for payload in outputs for size, data in _members(container, payload))


def _members(container: Container, payload: bytes) -> Iterator[tuple[int, int]]:
    """Of each member, bytes of itself and of its data."""
    while payload:
        reader = _reader(container)
        data = reader.decompress(payload)
        if not reader.eof:
            raise PayloadError("a member does not end")
        yield len(payload) - len(reader.unused_data), len(data)
        payload = reader.unused_data


def _apart(outputs: Outputs) -> bool:
    _, second = outputs
    reader = _reader(Container.RAW)
    return bool(reader.decompress(second) == TEXT)
