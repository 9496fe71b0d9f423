"""Where a stream that ends can be told from one that goes on although the library does not tell."""

from __future__ import annotations

from typing import Final

from multifd.framing.coder import Bytes

SYNC_MARKER: Final = b"\0\0\xff\xff"
"""How an empty stored block ends, and so every packet that was flushed with ``Z_SYNC_FLUSH`` (zlib.h, zlib 1.3)."""


def is_flushed(packet: Bytes) -> bool:
    """Whether the stream goes on behind this packet; one that ends here has its trailer, or final block, there."""
    return bytes(memoryview(packet)[-len(SYNC_MARKER) :]) == SYNC_MARKER
