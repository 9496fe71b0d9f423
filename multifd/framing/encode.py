"""From pages to a payload, for every framing."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from typing_extensions import Buffer

from multifd.framing.coder import Codec, Compressor, need_encoder
from multifd.framing.container import Container
from multifd.framing.model import Flush, Framing, Scope
from multifd.framing.pages import Indices, Pages, gather, views
from multifd.wire.packet import PACKET_SIZE


class PayloadEncoder:
    """Encodes the packets of one channel, in order.

    Raises :class:`multifd.errors.Unsupported` on creation if the codec cannot emit the framing. The buffers that
    :meth:`encode` returns are valid until its next call.
    """

    def __init__(self, framing: Framing, codec: Codec, page_size: int) -> None:
        self._window = need_encoder(
            codec,
            framing.container,
            framing.window,
            streaming=framing.scope is Scope.CHANNEL,
            reach=page_size if framing.scope is Scope.PAGE else PACKET_SIZE,
        )
        self.escaped = 0
        """Pages that did not shrink and were sent as they are."""
        self._framing = framing
        self._codec = codec
        self._page_size = page_size
        self._scratch = np.empty((PACKET_SIZE // page_size, page_size), np.uint8)
        self._stream: Compressor | None = None

    def encode(self, pages: Pages, indices: Indices) -> Sequence[Buffer]:
        """The payload of a packet with these pages, as buffers to be written one after the other."""
        if self._framing.raw_pages:
            return views(pages, indices)
        return self.encode_still(self._still(pages, indices))

    def encode_still(self, data: memoryview) -> Sequence[Buffer]:
        """The same for pages that stand one after the other in ``data`` and that nobody writes to: not copied."""
        if self._framing.raw_pages:
            return [data]
        match self._framing.scope:
            case Scope.CHANNEL:
                return self._stream_packet(data)
            case Scope.PACKET:
                return [self._codec.compress(data, self._framing.container, self._window)]
            case Scope.PAGE:
                return self._each_page(data)

    def _still(self, pages: Pages, indices: Indices) -> memoryview:
        """The pages as one buffer that no guest writes to while a codec reads it.

        A stream of zstd needs no copy of ours: libzstd copies what it takes into its own window and reads it there
        (zstd.h, "Streaming compression"; QEMU's multifd-zstd.c hands it the guest's pages too).
        """
        if self._framing.container is Container.ZSTD and self._framing.scope is Scope.CHANNEL:
            run, *others = views(pages, indices)
            if not others:
                return run
        return gather(pages, indices, self._scratch)

    def _stream_packet(self, data: memoryview) -> Sequence[Buffer]:
        if self._stream is None:
            self._stream = self._codec.compressor(self._framing.container, self._window)
        stream = self._stream
        if self._framing.flush is Flush.PACKET:
            return [stream.compress(data), stream.sync()]
        size = self._page_size
        parts: list[Buffer] = []
        for at in range(0, len(data), size):
            parts.append(stream.compress(data[at : at + size]))
            parts.append(stream.sync())
        return [part for part in parts if memoryview(part)]

    def _each_page(self, data: memoryview) -> Sequence[Buffer]:
        size, escape = self._page_size, self._framing.raw_escape
        compress, container, window = self._codec.compress, self._framing.container, self._window
        lengths: list[int] = []
        parts: list[Buffer] = []
        for at in range(0, len(data), size):
            page = data[at : at + size]
            compressed: Buffer = compress(page, container, window)
            length = len(memoryview(compressed))
            if escape and length >= size:
                compressed, length = page, size
                self.escaped += 1
            lengths.append(length)
            parts.append(compressed)
        return [struct.pack(f">{len(lengths)}I", *lengths), *parts]
