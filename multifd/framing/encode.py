"""From pages to a payload, for every framing."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from typing_extensions import Buffer

from multifd.framing.coder import Codec, Compressor, compress_each, compressor_of, need_encoder
from multifd.framing.model import Flush, Framing, Scope
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
        self._stream: Compressor | None = None

    def encode(self, data: memoryview) -> Sequence[Buffer]:
        """The payload of a packet with these pages, as buffers to be written one after the other.

        The pages stand one after the other in ``data``, which nobody writes to meanwhile.
        """
        if self._framing.raw_pages:
            return [data]
        match self._framing.scope:
            case Scope.CHANNEL:
                return self._stream_packet(data)
            case Scope.PACKET:
                return [self._codec.compress(data, self._framing.container, self._window)]
            case Scope.PAGE:
                return self._each_page(data)

    def _stream_packet(self, data: memoryview) -> Sequence[Buffer]:
        if self._stream is None:
            self._stream = compressor_of(self._codec, self._framing.container, self._window)
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
        size, framing = self._page_size, self._framing
        pages = [data[at : at + size] for at in range(0, len(data), size)]
        parts = list(compress_each(self._codec, pages, framing.container, self._window))
        if framing.raw_escape:
            for place, part in enumerate(parts):
                if len(part) >= size:
                    parts[place] = pages[place]
                    self.escaped += 1
        return [struct.pack(f">{len(parts)}I", *map(len, parts)), *parts]
