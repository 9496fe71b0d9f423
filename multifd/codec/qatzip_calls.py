"""What a caller of libqatzip must do that the library does not: know whether a payload was decoded, all of it.

``qzDecompress`` calls much a success: a source that ends early, one that it did not read to its end, a destination that
was too short. What it returns is how much it read and wrote, and (since 2.0) whether it saw the end of a stream; with
these every payload can be decoded completely or refused. QEMU looks at the size of the output only.

The five containers are all that a deflate session has (``QzDataFormat_T`` and ``zlib_format``). A call works on whole
buffers; :mod:`.qatzip_streams` has the library's streams.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from multifd.codec.contract import Parameter
from multifd.errors import PayloadError
from multifd.framing.coder import Bytes, DecoderCapability, EncoderCapability
from multifd.framing.container import Container

_CONTAINERS: Final = frozenset({Container.RAW, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B, Container.ZLIB})

BUFFER: Final = Parameter(64, tuple(1 << power for power in range(10)))
"""``hw_buff_sz`` in KiB, a power of two (``qzCheckParamsCommon``)."""
THRESHOLD: Final = Parameter(1024, range(128, (512 << 10) + 1))
"""``input_sz_thrshold``, bytes."""
COLLECT: Final = Parameter(64, range(1, 2044))
"""``strm_buff_sz`` in KiB."""

_ENCODER: Final = EncoderCapability(_CONTAINERS, streaming=False, windows=frozenset({15}))
DECODER: Final = DecoderCapability(
    _CONTAINERS,
    streaming=False,
    window=15,
    header_window=True,
    members=_CONTAINERS,
    checks_trailer=True,
)
"""Whichever way data takes: what the device refuses for its form or size goes to software."""
_SMALLEST_PAGE: Final = 4096
"""Bytes; nothing that is sent as one stream is less."""


def encoder_of(piece: int, threshold: int, *, device: bool) -> EncoderCapability:
    """Of a device that is given pieces of so many bytes, but no input below the threshold, or of the software path.

    Both flush fully every so many bytes, a power of two: no distance is larger.
    """
    reach = min(_ENCODER.reach, piece.bit_length() - 1)
    if not device:
        return replace(_ENCODER, reach=reach)
    return replace(_ENCODER, reach=reach, member=piece, whole_below=threshold)


def decoder_of(piece: int | None) -> DecoderCapability:
    """Of a device that is given pieces of so many bytes; None for the library's software.

    Neither looks at every header: for the device a plain gzip header is ten bytes to be skipped, and software takes the
    length that a 4B header says for what it is not (``checkHeader``, ``src/qatzip_utils.c``, QATzip 1.3.1).
    """
    unseen = Container.FOUR_B if piece is None or piece < _SMALLEST_PAGE else Container.GZIP
    return replace(DECODER, member=piece, skips_header=frozenset({unseen}))


class Call(Protocol):
    """``qzDecompress`` of one session."""

    def __call__(self, source: memoryview, room: int, /) -> tuple[int, Bytes]:
        """Bytes read and the output, at most ``room`` bytes; raises :class:`PayloadError`."""
        ...


def decode_all(name: str, call: Call, data: Bytes, size: int) -> Bytes:
    """Call until everything is read; at most ``size`` bytes.

    Raises :class:`PayloadError` if there are more, or a call goes nowhere. Whether the last stream was complete is for
    the caller to ask: only its session knows.
    """
    view = memoryview(data)
    if not view:
        raise incomplete(name)  # the library is content with nothing, and then still knows the end of the stream before
    room = max(size, 1)  # an empty destination is an error of its own
    consumed, output = call(view, room)
    while consumed < len(view):
        read, more = call(view[consumed:], room - len(output)) if len(output) < room else (0, b"")
        if not read:
            raise PayloadError(
                f"{name}: qzDecompress failed: more than the expected {size} bytes,"
                f" {len(view) - consumed} bytes of input left"
            )
        consumed += read
        output = bytes(output) + bytes(more)
    if len(output) > size:
        raise PayloadError(f"{name}: qzDecompress failed: more than the expected {size} bytes")
    return output


def incomplete(name: str) -> PayloadError:
    """The error for a payload whose last stream has no end."""
    return PayloadError(f"{name}: qzDecompress failed: incomplete or truncated stream")
