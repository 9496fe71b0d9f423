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
from multifd.framing.recognize import described


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
        """Write the payload's pages to their places; raises :class:`PayloadError`, and then writes no more.

        The error's place is within the payload: its offset counts from there.
        """
        try:
            self._decode(payload, pages, indices)
        except PayloadError as problem:
            raise self._located(problem, payload, len(indices)) from None

    def _located(self, problem: PayloadError, payload: memoryview, count: int) -> PayloadError:
        if problem.place.found is None:
            problem.at(offset=0, found=described(payload, count))
        if problem.field is None:
            problem.field, problem.value = "payload", problem.place.found
            problem.expected = f"{self._framing.name} ({self._framing.shape()})"
        return problem.at(channel=self._channel)

    def _decode(self, payload: memoryview, pages: PageStore, indices: Indices) -> None:
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
        places = list(pairwise(accumulate(lengths, initial=4 * len(lengths))))
        decoded: list[Bytes] = []
        try:
            for output in self._outputs([payload[start:end] for start, end in places]):
                if len(output) != size:
                    message = f"decompressed len {len(output)}, expected len {size}"
                    raise PayloadError(message, "page size", len(output), size)
                decoded.append(output)
        except PayloadError as problem:
            start, end = places[len(decoded)]
            raise problem.at(page=len(decoded), offset=start, found=described(payload[start:end])) from None
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
            message = f"length table: payload is {len(payload)} bytes, expected more than {table}"
            raise PayloadError(message, "payload size", len(payload), f"more than {table}")
        lengths = struct.unpack_from(f">{count}I", payload)
        if self._framing.raw_escape and max(lengths) > self._page_size:
            place = next(place for place, length in enumerate(lengths) if length > self._page_size)
            length, most = lengths[place], f"at most {self._page_size}"
            message = f"length table: {length}, expected {most}"
            raise PayloadError(message, "length", length, most).at(page=place)
        if (total := sum(lengths)) != (rest := len(payload) - table):
            message = f"length table: sum is {total}, expected {rest} (the bytes that follow)"
            raise PayloadError(message, "length table", total, rest)
        return lengths

    def _sized(self, output: Buffer, count: int) -> npt.NDArray[np.uint8]:
        data = np.frombuffer(memoryview(output), np.uint8)
        expected = count * self._page_size
        if len(data) != expected:
            message = f"multifd {self._channel}: packet size received {len(data)} size expected {expected}"
            raise PayloadError(message, "packet size", len(data), expected)
        return data
