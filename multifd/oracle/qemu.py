"""Real QEMU: what its encoders emit, what its decoders accept, and what it says when it refuses.

Capabilities follow from the methods that a binary offers. QEMU's decoders take more than its encoders make:

========  ========================================================================================
method    what the decoder takes besides what the encoder makes (QEMU 10.2)
========  ========================================================================================
zlib      any level, window and flush; not a new stream per packet
zstd      a frame per packet or page, checksums, windows up to 128 MiB (``ZSTD_d_windowLogMax``)
qpl       any raw DEFLATE within a page
qatzip    any number of members, plain gzip
========  ========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.framing.model import framing
from multifd.oracle.question import Side
from multifd.wire.dialect import ZeroPages
from multifd.wire.fault import Bit, Ends, Fault, Lengths, Payload

_ZSTD_WINDOW: Final = 27
_GZIP: Final = frozenset({Container.GZIP, Container.GZIP_EXT})


def encoder_of(methods: Iterable[str]) -> EncoderCapability:
    """What a QEMU with these methods emits."""
    framings = [framing(method) for method in methods]
    return EncoderCapability(
        frozenset(f.container for f in framings),
        streaming=True,
        windows=frozenset(f.window for f in framings),
        reach=19,
    )


def decoder_of(methods: Iterable[str]) -> DecoderCapability:
    """What a QEMU with these methods accepts."""
    containers = frozenset(framing(method).container for method in methods)
    return DecoderCapability(
        containers, streaming=True, window=_ZSTD_WINDOW, header_window=False,
        members=containers & (_GZIP | {Container.ZSTD}), checks_trailer=True,
    )  # fmt: skip


_TELLS_NOT: Final = "load of migration failed: (Invalid argument|Input/output error)|Not a migration stream"
"""What a receiver before 9.0 says of whatever a channel refuses: the main thread's word, for the channel's own error
is dropped (``multifd_recv_terminate_threads`` sets it, nobody prints it)."""
_SIZE: Final = r"packet size received \d+ size expected \d+"
_PAYLOAD: Final[Mapping[str, str]] = {
    "zlib": rf"inflate returned -?\d+ instead of Z_OK|inflate generated too few output|{_SIZE}",
    "zstd": rf"decompressStream returned|decompressStream buffer too small|{_SIZE}",
    "qpl": r"qpl job failed with error \d+|qpl decompressed len \d+, expected len \d+",
    "qatzip": rf"qzDecompress failed|{_SIZE}",
    "uadk": r"failed decompression, ret -?\d+|decompressed length error",
}
"""What the decoder of each method says of a payload that it cannot read (``migration/multifd-<method>.c``, 10.2)."""
_CHANNELS: Final = (
    r"received channel id \d+ exceeds channel count|received id '\d+' already setup"
    r"|Extra incoming migration connection|Read section footer failed|flags received"
)
"""Whichever connection comes last is the one too many: a channel or, as those are unordered, one whose absence breaks
the main channel."""


_LATER: Final[Mapping[str, str]] = {
    "init-magic": r"unknown channel magic: \d+",  # 11.1.3, where main's and channels' magics are told apart first
    "init-id": r"multifd: received channel id \d+ exceeds channel count \d+",  # 11.1.3
    "packet-size": r"multifd \d+: next_packet_size \d+ exceeds allocated \d+",  # 10.0.13, 11.1.3
}
"""What versions of dialect qemu-10.0 say in other words than its first one, 10.0.2, by fault (measured)."""

_END: Final = "Unexpected end-of-file"
"""What is said of a channel that ends within a packet (io/channel.c, QEMU 10.2)."""


def says(receiver: Side, rule: str, error: str | None, fault: Fault | None = None) -> str | None:
    """What a real QEMU says where a rule refuses; ``error`` is what our receiver says, ``fault`` what is wrong."""
    old = receiver.dialect.zero_pages is ZeroPages.MAIN
    if rule == "channels":
        return f"{_CHANNELS}|{_TELLS_NOT}" if old else _CHANNELS
    if old:
        return _TELLS_NOT
    if rule == "fault" and fault is not None and not isinstance(fault.deed, Bit | Payload | Lengths):
        later = _END if isinstance(fault.deed, Ends) else _LATER.get(fault.name)
        return f"{error}|{later}" if later is not None else error
    return error if rule == "flags" else _PAYLOAD.get(receiver.framing.travels_as, error)
