"""Every declaration of a capability as something to be tried: what only a codec with it does, or only one without.

==================  ==============================================================================================
receiver            tried
==================  ==============================================================================================
``containers``      a stream in each container there is
``streaming``       packets of a stream that goes on
``window``          a match as far back as the window, and one a byte farther; of zstd the window that a frame has
``header_window``   a zlib header, or zstd's, that announces more than the window, before data that keeps to it
``members``         two members in one payload, in each container that is read
``checks_trailer``  a wrong checksum behind right data, in each container that has one
``member``          a member of 4B that is smaller, before another
``needs_end``       a stream that is flushed, and does not end
``skips_header``    a header with a wrong first byte, in each container that has one
``needs_trailer``   a zlib stream that ends before its checksum
``checks_end``      bytes behind the last stream, where it reads but one
==================  ==============================================================================================

==================  ==============================================================================================
sender              tried
==================  ==============================================================================================
``containers``      a stream in each container there is
``streaming``       packets that a reader can follow one by one, of text and of noise
``windows``         each window there is: what the header announces, and how far matches reach
``shrinks``         text
``reach``           content that repeats at the end of what is reached, and of twice as much
``member``          a byte more than a member
``forgets``         one packet twice: the second is read without the first
==================  ==============================================================================================

What cannot be told apart is not tried: distances of zstd (its header decides), what a flush forgets where none is made
or nothing is matched. Containers ``none`` is no codec's work.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import zstandard

from multifd.errors import MultifdError
from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container, parse
from multifd.framing.deflate import walk
from multifd.lineup import samples
from multifd.lineup.samples import NOISE, TEXT
from multifd.peer.contract import Attempt, Packet, Trial
from multifd.result.record import Role

Outputs = Sequence[bytes]
"""What was made of each packet."""

_CODED: Final = tuple(each for each in Container if each is not Container.NONE)
_ZSTD_WINDOWS: Final = range(10, 28)
_SHORTEST_REACH: Final = 10
"""zlib uses less than half of a window of 9 bits (:data:`.samples.MARGIN`)."""
_STREAM_WINDOW: Final = 17
_TRAILED: Final = (Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.ZSTD)
_HEADED: Final = (Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B, Container.ZSTD)
_ADLER: Final = 4
"""Bytes of zlib's checksum."""
_LARGEST_MEMBER: Final = 512 << 10
"""Bytes: a packet. Whoever begins no new member in it has none to begin."""
_PIECE: Final = 64 << 10
"""Bytes of a member that is not the last."""
_PACKETS: Final = (TEXT, NOISE, TEXT + NOISE, NOISE[:1000], bytes(4096), NOISE + TEXT, TEXT[:500], NOISE, TEXT)


@dataclass(frozen=True, slots=True)
class Case:
    """One trial, and what the declaration makes of it."""

    role: Role
    capability: str
    """Name of the field."""
    what: str
    """What is tried, in words."""
    able: bool
    """It must be done, or must not."""
    container: Container
    given: tuple[bytes, ...]
    """By packet."""
    done: Callable[[Outputs], bool]
    """Whether it was done, by what was made."""
    wanted: tuple[int, ...] = ()
    window: int = 15
    stream: bool = False

    def trial(self) -> Trial:
        """As the contract has it."""
        wanted = self.wanted or (0,) * len(self.given)
        packets = tuple(Packet(given=len(g), wanted=w) for g, w in zip(self.given, wanted, strict=True))
        return Trial(role=self.role, container=self.container, window=self.window, stream=self.stream, packets=packets)

    def declared(self, encoder: EncoderCapability | None, decoder: DecoderCapability | None) -> object:
        """What is said of it."""
        return getattr(encoder if self.role == "sender" else decoder, self.capability)

    def contradiction(self, attempt: Attempt, outputs: Outputs, declared: object) -> str | None:
        """What of the declaration is not so, None if it is."""
        done = attempt.error is None and _holds(self.done, outputs)
        if done is self.able:
            return None
        seen = "done" if done else f"not done ({attempt.error or 'something else came of it'})"
        value = ", ".join(map(str, sorted(declared))) if isinstance(declared, frozenset) else declared
        return f"as {self.role} it declares {self.capability} {value}; observed: {self.what}: {seen}"


def cases(encoder: EncoderCapability | None, decoder: DecoderCapability | None) -> list[Case]:
    """All that is to be tried of a peer."""
    receiving = [case for row in DECODER.values() for case in row(decoder)] if decoder is not None else []
    sending = [case for row in ENCODER.values() for case in row(encoder)] if encoder is not None else []
    return receiving + sending


def _holds(done: Callable[[Outputs], bool], outputs: Outputs) -> bool:
    try:
        return done(outputs)
    except (MultifdError, zlib.error, zstandard.ZstdError):
        return False


# --- receivers ------------------------------------------------------------------------------------------------


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
    for each in _CODED:
        sample = samples.compressed(TEXT, each)
        yield _reads("containers", f"container {each}", each in decoder.containers, each, [sample], [TEXT])


def _read_streams(decoder: DecoderCapability) -> Iterator[Case]:
    for each in _preferred(decoder.containers):
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
    for each in _preferred(decoder.containers - {Container.ZLIB}) or _preferred(decoder.containers):
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
    for each in _CODED:
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
    for each in _preferred(decoder.containers):
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
    for each in _preferred(decoder.containers - decoder.members - {Container.FOUR_B}):
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


# --- senders --------------------------------------------------------------------------------------------------


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
    for each in _CODED:
        able, done = each in encoder.containers, partial(_in_container, each, text)
        yield _writes(encoder, "containers", f"container {each}", able, each, [text], done)


def _write_streams(encoder: EncoderCapability) -> Iterator[Case]:
    for each in _preferred(encoder.containers):
        done = partial(_followed, each)
        what = "packets that a reader can follow one by one"
        yield _writes(encoder, "streaming", what, encoder.streaming, each, _PACKETS, done, stream=True)


def _write_windows(encoder: EncoderCapability) -> Iterator[Case]:
    for each in _preferred(encoder.containers):
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
    for each in _preferred(encoder.containers):
        yield _writes(encoder, "shrinks", "text made smaller", encoder.shrinks, each, [TEXT], _smaller)


def _write_reach(encoder: EncoderCapability) -> Iterator[Case]:
    for each in _preferred(encoder.containers):
        if encoder.shrinks and each is not Container.ZSTD:
            reach = min(encoder.reach, max(encoder.windows, default=15))
            for bits in range(max(reach, _SHORTEST_REACH), min(reach + 1, 15) + 1):
                what, able = f"a match more than {1 << bits - 1} bytes back", bits == reach
                content, done = samples.repeated(bits), partial(_reached, each, bits)
                yield _writes(encoder, "reach", what, able, each, [content], done)


def _write_members(encoder: EncoderCapability) -> Iterator[Case]:
    for each in _preferred(encoder.containers - {Container.RAW, Container.FOUR_B}):
        size = _LARGEST_MEMBER + 1
        count = 1 if encoder.member is None else -(-size // encoder.member)
        done = partial(_counted, each, count)
        yield _writes(encoder, "member", f"{count} members for {size} bytes", True, each, [bytes(size)], done)


def _write_forgetting(encoder: EncoderCapability) -> Iterator[Case]:
    for each in _preferred(encoder.containers):
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
}
"""By field of the capability."""


def _preferred(containers: frozenset[Container]) -> list[Container]:
    """The one in which most can be told of those that there are; none if there is none."""
    order = (Container.ZLIB, Container.RAW, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B, Container.ZSTD)
    return [each for each in order if each in containers][:1]


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
    (rest,) = outputs
    for _ in range(count):
        reader = _reader(container)
        reader.decompress(rest)
        if not reader.eof:
            return False
        rest = reader.unused_data
    return not rest


def _apart(outputs: Outputs) -> bool:
    _, second = outputs
    reader = _reader(Container.RAW)
    return bool(reader.decompress(second) == TEXT)
