"""From a payload to pages, for every framing."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

from multifd.errors import PayloadError
from multifd.framing.coder import Bytes, Codec, Decompressor, decompress_each, decompressor_of, need_decoder
from multifd.framing.model import Framing, Scope
from multifd.framing.pages import Indices, PageStore, scatter


class PayloadDecoder:
    """Decodes the packets of one channel, in order.

    Raises :class:`multifd.errors.Unsupported` on creation if the codec has nothing to read the container with. A
    codec without streams is still put before a stream: it reads every packet as if it were complete, and fails.
    """

    def __init__(self, framing: Framing, codec: Codec, page_size: int, channel: int = 0) -> None:
        need_decoder(codec, framing.container)
        self._framing = framing
        self._codec = codec
        self._page_size = page_size
        self._channel = channel
        self._stream: Decompressor | None = None

    def decode(self, payload: memoryview, pages: PageStore, indices: Indices) -> None:
        """Write the payload's pages to their places; raises :class:`PayloadError`, and then writes no more."""
        if self._framing.raw_pages:
            scatter(self._sized(payload, len(indices)), pages, indices)
            return
        match self._framing.scope:
            case Scope.PAGE:
                self._each_page(payload, pages, indices)
            case Scope.CHANNEL:
                scatter(self._stream_packet(payload, len(indices)), pages, indices)
            case Scope.PACKET:
                scatter(self._complete(payload, len(indices)), pages, indices)

    def _stream_packet(self, payload: memoryview, count: int) -> npt.NDArray[np.uint8]:
        decoder = self._codec.decoder
        if decoder is not None and not decoder.streaming:
            return self._complete(payload, count)
        if self._stream is None:
            self._stream = decompressor_of(self._codec, self._framing.container)
        output = self._stream.decompress(payload, count * self._page_size)
        if self._stream.ended:
            raise PayloadError(f"multifd {self._channel}: inflate returned 1 instead of Z_OK")
        return self._sized(output, count)

    def _complete(self, payload: memoryview, count: int) -> npt.NDArray[np.uint8]:
        size = count * self._page_size
        return self._sized(self._codec.decompress(payload, self._framing.container, size), count)

    def _each_page(self, payload: memoryview, pages: PageStore, indices: Indices) -> None:
        size, lengths = self._page_size, self._lengths(payload, len(indices))
        ends = accumulate(lengths, initial=4 * len(lengths))
        decoded: list[Bytes] = []
        try:
            for output in self._outputs([payload[start:end] for start, end in pairwise(ends)]):
                if len(output) != size:
                    raise PayloadError(f"decompressed len {len(output)}, expected len {size}")
                decoded.append(output)
        except PayloadError as problem:
            raise PayloadError(str(problem), page=len(decoded)) from None
        finally:
            # Together, for each store has its price; but QEMU has written the pages before a bad one
            # (migration/multifd-qpl.c, QEMU 10.2).
            scatter(np.frombuffer(b"".join(decoded), np.uint8), pages, indices[: len(decoded)])

    def _outputs(self, parts: Sequence[memoryview]) -> Iterator[Bytes]:
        """What each part of a payload decodes to, or is as it stands."""
        size, escape = self._page_size, self._framing.raw_escape
        compressed = [part for part in parts if len(part) != size] if escape else parts
        outputs = decompress_each(self._codec, compressed, self._framing.container, size)
        if len(compressed) == len(parts):
            return outputs
        return (part if len(part) == size else next(outputs) for part in parts)

    def _lengths(self, payload: memoryview, count: int) -> tuple[int, ...]:
        """The length table; where QEMU asserts on it, this raises."""
        table = 4 * count
        if len(payload) <= table:
            raise PayloadError(f"length table: payload is {len(payload)} bytes, expected more than {table}")
        lengths = struct.unpack_from(f">{count}I", payload)
        if self._framing.raw_escape and max(lengths) > self._page_size:
            place = next(place for place, length in enumerate(lengths) if length > self._page_size)
            raise PayloadError(f"length table: {lengths[place]}, expected at most {self._page_size}", page=place)
        if sum(lengths) != len(payload) - table:
            raise PayloadError(
                f"length table: sum is {sum(lengths)}, expected {len(payload) - table} (the bytes that follow)"
            )
        return lengths

    def _sized(self, output: Buffer, count: int) -> npt.NDArray[np.uint8]:
        data = np.frombuffer(memoryview(output), np.uint8)
        expected = count * self._page_size
        if len(data) != expected:
            raise PayloadError(f"multifd {self._channel}: packet size received {len(data)} size expected {expected}")
        return data
