#!/usr/bin/env python3
"""A peer of your own: a codec in a few lines, served by this project's peer server.

This one is Python's ``zlib`` with the Huffman-only strategy, raw DEFLATE and nothing else. Run the matrix with it::

    python3 bootstrap.py conformance --hwprofile examples/own_peer/profile.yaml

A program in another language speaks the JSON lines of docs/peer-contract.md itself and needs none of this.
"""

from __future__ import annotations

import sys
import zlib

from multifd.errors import PayloadError
from multifd.framing.coder import Bytes, DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.peer.server import PeerServer
from multifd.result.record import Provenance


class HuffmanOnly:
    """Declares what it can do; the suite verifies that and predicts every pairing from it."""

    name = "huffman-only"
    version = zlib.ZLIB_RUNTIME_VERSION
    provenance: Provenance = "software"
    device = None
    encoder = EncoderCapability(frozenset({Container.RAW}), streaming=False, windows=frozenset(range(9, 16)), reach=0)
    decoder = DecoderCapability(
        frozenset({Container.RAW}), False, window=15, header_window=False, members=frozenset(), checks_trailer=True
    )

    def compress(self, data: Bytes, container: Container, window: int) -> bytes:
        """One complete stream; with this strategy there are no matches, so every window is kept."""
        stream = zlib.compressobj(wbits=-window, strategy=zlib.Z_HUFFMAN_ONLY)
        return stream.compress(data) + stream.flush()

    def decompress(self, data: Bytes, container: Container, size: int) -> bytes:
        """One complete stream of at most ``size`` bytes."""
        stream = zlib.decompressobj(-15)
        try:
            output = stream.decompress(data, size + 1)
        except zlib.error as problem:
            raise PayloadError(f"{self.name}: {problem}") from None
        if not stream.eof or len(output) > size or stream.unused_data:
            raise PayloadError(f"{self.name}: not exactly one stream of at most {size} bytes")
        return output


if __name__ == "__main__":
    codec = HuffmanOnly()
    sys.exit(PeerServer(codec, codec.name, sys.stdout).serve(sys.stdin))
