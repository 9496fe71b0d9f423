"""What a framing needs of a codec: what the codec declares and what it can be asked to do.

The declarations are what the oracle predicts from; the probe verifies them on the real codec, and what encoders
really emit is measured on every capture. A codec that cannot do a thing raises
:class:`multifd.errors.Unsupported` naming the capability; it never does something similar instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import repeat
from typing import Any, Final, Protocol, runtime_checkable

from multifd.errors import Unsupported
from multifd.framing.container import Container
from multifd.result.terms import Provenance, Unit

Bytes = bytes | bytearray | memoryview
"""What codecs take and return; nothing is copied to make one of these."""
_WITHOUT_MEMBERS: Final = (Container.RAW, Container.NONE)


@dataclass(frozen=True, slots=True)
class EncoderCapability:
    """What an encoder can emit."""

    containers: frozenset[Container]
    streaming: bool
    """It keeps its state across packets and can sync-flush: it is a :class:`StreamEncoder`."""
    windows: frozenset[int]
    """Window bits that it can be limited to; a limit that it cannot keep is refused."""
    shrinks: bool = True
    """Its output can be smaller than its input; False where it only stores (level 0)."""
    reach: int = 15
    """Bits of the largest distance that it really uses, whatever its zlib header announces."""
    member: int | None = None
    """Bytes of input after which a new member begins, but in raw, which has none; None for one, however long."""
    forgets: bool = False
    """Its flush is a full one: no match reaches back before it."""
    whole_below: int = 0
    """Bytes; an input below it is one member all the same."""
    stores: bool = False
    """Some of its output may be stored though the content shrinks."""

    def limit(self, wanted: int) -> int | None:
        """The largest window of at most ``wanted`` bits that it can keep, None if it has none."""
        return max((w for w in self.windows if w <= wanted), default=None)

    def members(self, size: int, container: Container) -> int:
        """How many members an input of so many bytes becomes in a payload."""
        if self.member is None or size < self.whole_below or container in _WITHOUT_MEMBERS:
            return 1
        return -(-size // self.member)


@dataclass(frozen=True, slots=True)
class DecoderCapability:
    """What a decoder accepts."""

    containers: frozenset[Container]
    streaming: bool
    """It keeps its state across packets and takes streams that do not end: it is a :class:`StreamDecoder`."""
    window: int
    """Bits of the largest distance that it accepts."""
    header_window: bool
    """It refuses a zlib header that announces a larger window than its own, before any data."""
    members: frozenset[Container]
    """Containers of which it reads several members in one payload; of any other it reads the first."""
    checks_trailer: bool
    """A wrong checksum in the trailer is an error."""
    needs_end: bool = True
    """A payload whose stream has no end is an error, though all of its output is there."""
    skips_header: frozenset[Container] = frozenset()
    """Containers whose header it takes unseen: a wrong one is no error."""
    needs_trailer: bool = True
    """A zlib stream without its trailer is an error."""
    checks_end: bool = True
    """Bytes behind the last stream that it reads are an error."""
    member: int | None = None
    """Bytes for which it takes every member of 4B, which does not say its size, but the last; None for any."""


def declared(capability: EncoderCapability | DecoderCapability) -> dict[str, Any]:
    """A capability as plain data, sets sorted, for messages and results."""
    return {key: sorted(value) if isinstance(value, frozenset) else value for key, value in asdict(capability).items()}


class Compressor(Protocol):
    """A compressed stream in the making; one for each channel of a channel-scope framing."""

    def compress(self, data: Bytes, /) -> bytes:
        """Take input, return what is ready."""
        ...

    def sync(self) -> bytes:
        """Flush, so that everything taken so far can be decoded; the stream goes on."""
        ...


class Decompressor(Protocol):
    """A stream being read; one for each channel of a channel-scope framing."""

    def decompress(self, data: Bytes, size: int, /) -> Bytes:
        """All output of ``data``, which is whole up to a flush; at most ``size`` + 1 bytes are ever returned."""
        ...

    @property
    def ended(self) -> bool:
        """The stream's end was seen."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """By what a vendor's library decides what its device is given, and in how many jobs. Sizes in bytes."""

    piece: int | None = None
    """What one request compresses at most, and decompresses to at most (libqatzip: ``hw_buff_sz``); None: no such
    limit, an input is one job."""
    threshold: int = 0
    """Inputs below it go to software (libqatzip: ``input_sz_thrshold``)."""
    raw: bool = True
    """The device decompresses DEFLATE without a container."""
    jobs: int = 1
    """Jobs for one compression: IAA takes two to make codes for the data."""
    one_pass: int = 0
    """An input up to it is compressed in one job all the same: IAA of generation 2 makes codes and compresses in one
    pass where the input is at most 4 KiB (``sources/middle-layer/compression/deflate/deflate.cpp``, qpl 1.6.0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was done where since the codec was made, in all threads, by the library's own word."""

    source: str = ""
    """What counts, in words."""
    unit: Unit = "jobs"
    device: int | None = None
    """Jobs or bytes that the library counted of its device, None where it counts nothing: there is none, or it does
    not tell."""
    software: int = 0
    """Calls that the library computed in software although it has a device."""
    busy: int = 0
    """Submissions that found every queue full and were made again."""
    faults: int = 0
    """Jobs that ended by a page fault and were made again."""


@runtime_checkable
class Routed(Protocol):
    """A codec over an accelerator's library."""

    @property
    def routing(self) -> Routing:
        """By what the library decides what the device is given."""
        ...

    def tally(self) -> Tally:
        """What was done where so far; read before and after a piece of work."""
        ...


class Codec(Protocol):
    """One implementation of a compressor, a decompressor or both. All calls release the GIL."""

    @property
    def name(self) -> str:
        """Codec name; with parameters in brackets where they differ from the defaults."""
        ...

    @property
    def version(self) -> str:
        """Version of the library that does the work."""
        ...

    @property
    def provenance(self) -> Provenance:
        """How it runs."""
        ...

    @property
    def device(self) -> str | None:
        """The accelerator that it stands for, None for plain software."""
        ...

    @property
    def encoder(self) -> EncoderCapability | None:
        """What it emits, None for no encoder."""
        ...

    @property
    def decoder(self) -> DecoderCapability | None:
        """What it accepts, None for no decoder."""
        ...

    def compress(self, data: Bytes, container: Container, window: int, /) -> Bytes:
        """One complete stream."""
        ...

    def decompress(self, data: Bytes, container: Container, size: int, /) -> Bytes:
        """Decode all complete streams in ``data``; raises PayloadError if they are not complete or hold more
        than ``size`` bytes; may return fewer."""
        ...


@runtime_checkable
class StreamEncoder(Protocol):
    """A codec that keeps its state across packets."""

    def compressor(self, container: Container, window: int, /) -> Compressor:
        """A new stream that can be flushed."""
        ...


@runtime_checkable
class StreamDecoder(Protocol):
    """A codec that keeps its state across packets and takes streams that do not end."""

    def decompressor(self, container: Container, /) -> Decompressor:
        """A new stream to read from."""
        ...


@runtime_checkable
class BatchEncoder(Protocol):
    """A codec for which many small inputs together cost less than one call each."""

    def compress_batch(self, inputs: Iterable[Bytes], container: Container, window: int, /) -> Iterator[Bytes]:
        """A complete stream of each, as by :meth:`Codec.compress`, when it is asked for."""
        ...


@runtime_checkable
class BatchDecoder(Protocol):
    """A codec for which many small streams together cost less than one call each."""

    def decompress_batch(self, streams: Iterable[Bytes], container: Container, size: int, /) -> Iterator[Bytes]:
        """The output of each, as by :meth:`Codec.decompress`, when it is asked for."""
        ...


def compressor_of(codec: Codec, container: Container, window: int, *, trying: bool = False) -> Compressor:
    """A new stream that can be flushed; raises :class:`Unsupported` if the codec has none.

    A library may have calls that keep a stream open and no flush. A codec then has the stream and does not declare it:
    ``trying`` gets it all the same, to see what comes of it.
    """
    declared_streaming = codec.encoder is not None and codec.encoder.streaming
    if not isinstance(codec, StreamEncoder) or not (trying or declared_streaming):
        raise _no_streams(codec)
    return codec.compressor(container, window)


def decompressor_of(codec: Codec, container: Container) -> Decompressor:
    """A new stream to read from; raises :class:`Unsupported` if the codec has none."""
    if not isinstance(codec, StreamDecoder):
        raise _no_streams(codec)
    return codec.decompressor(container)


def _no_streams(codec: Codec) -> Unsupported:
    return Unsupported("streaming", f"{codec.name} has no streams")


def compress_each(codec: Codec, inputs: Iterable[Bytes], container: Container, window: int) -> Iterator[Bytes]:
    """A complete stream of each, the cheapest way that the codec has."""
    if isinstance(codec, BatchEncoder):
        return codec.compress_batch(inputs, container, window)
    return map(codec.compress, inputs, repeat(container), repeat(window))


def decompress_each(codec: Codec, streams: Iterable[Bytes], container: Container, size: int) -> Iterator[Bytes]:
    """The output of each, the cheapest way that the codec has; raises PayloadError when it comes to a bad one."""
    if isinstance(codec, BatchDecoder):
        return codec.decompress_batch(streams, container, size)
    return map(codec.decompress, streams, repeat(container), repeat(size))


def need_encoder(codec: Codec, container: Container, window: int, *, streaming: bool, reach: int) -> int:
    """Check that the codec can emit this; returns the window bits to use. Raises :class:`Unsupported`.

    ``reach`` is the size in bytes of what is compressed at once: no match is farther than that, so that a window
    of this size is kept by every encoder, unless a zlib header would announce a larger one.
    """
    capability = codec.encoder
    if capability is None or container not in capability.containers:
        raise Unsupported("container", f"{codec.name} cannot emit container {container}")
    if streaming and not capability.streaming:
        raise Unsupported("streaming", f"{codec.name} cannot keep a stream open across packets (no sync flush)")
    if container is Container.NONE:
        return 0
    limit = capability.limit(window)
    if limit is not None:
        return limit
    if container is not Container.ZLIB and not streaming and reach <= 1 << window:
        return min(capability.windows)
    raise Unsupported("window", f"{codec.name} cannot limit its window to {1 << window} bytes")


def need_decoder(codec: Codec, container: Container) -> None:
    """Check that there is anything to decode with. Raises :class:`Unsupported`."""
    capability = codec.decoder
    if capability is None or container not in capability.containers:
        raise Unsupported("container", f"{codec.name} cannot read container {container}")
