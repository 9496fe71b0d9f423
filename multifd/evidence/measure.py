"""What an encoder really emitted, measured on its capture and held against what its framing promises.

Every packet's place and number is checked; of the payloads a budget of compressed bytes is walked token by token,
the smallest first, for there the content is periodic and distances are longest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import zstandard

from multifd.errors import MultifdError, PayloadError
from multifd.framing.coder import EncoderCapability
from multifd.framing.container import Container, parse, trailer_length
from multifd.framing.deflate import walk
from multifd.framing.model import Flush, Framing, Scope
from multifd.migrate.capture import Capture
from multifd.wire.dialect import SyncCarrier
from multifd.wire.packet import RamHeader
from multifd.wire.scan import scan

BUDGET: Final = 24 << 10
"""Compressed bytes walked per capture."""


@dataclass(slots=True)
class Measurement:
    """What was seen, and what of it breaks the framing's promise."""

    streams: int = 0
    max_distance: int = 0
    kinds: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Payload:
    channel: int
    number: int
    opens_stream: bool
    data: memoryview
    pages: int


def measure(capture: Capture, encoder: EncoderCapability | None = None) -> Measurement:
    """Scan all packets, walk a sample of the payloads; without an encoder's declaration each is one member."""
    found = Measurement()
    try:
        payloads = list(_payloads(capture, found))
        if capture.framing.raw_pages:
            return found
        budget = BUDGET
        for payload in sorted(payloads, key=lambda p: (not p.opens_stream, len(p.data))):
            if budget <= 0:
                break
            budget -= _Walker(capture.framing, capture.manifest.page_size, encoder, found).payload(payload, budget)
    except MultifdError as problem:
        found.problems.append(str(problem))
    return found


def _payloads(capture: Capture, found: Measurement) -> Iterator[_Payload]:
    numbers: list[int] = []
    expected = capture.dialect.flag(capture.framing.travels_as)
    for channel, path in enumerate(capture.channel_paths()):
        opens = True
        for packet in scan(
            path.read_bytes(),
            capture.manifest.page_size,
            capture.dialect,
            raw_pages=capture.framing.raw_pages,
        ):
            if not isinstance(packet.header, RamHeader):
                continue
            numbers.append(packet.header.packet_num)
            method = packet.header.flags & capture.dialect.mask
            if packet.header.normal_pages and method != expected:
                found.problems.append(
                    f"packet {packet.header.packet_num} of channel {channel}: flags say {method:#x},"
                    f" {capture.framing.name} travels under {expected:#x}"
                )
            if len(packet.payload):
                yield _Payload(channel, packet.header.packet_num, opens, packet.payload, packet.header.normal_pages)
                opens = False
    if capture.dialect.sync is SyncCarrier.OWN and sorted(numbers) != list(range(len(numbers))):
        twice = sorted(number for number, times in Counter(numbers).items() if times > 1)
        lacking = sorted(set(range(max(numbers))) - set(numbers))
        found.problems.append(
            f"packet numbers are not contiguous: {twice or 'none'} twice, {lacking or 'none'} missing"
        )


class _Walker:
    def __init__(self, framing: Framing, page_size: int, encoder: EncoderCapability | None, found: Measurement) -> None:
        self._encoder = encoder
        self._framing = framing
        self._page_size = page_size
        self._found = found

    def payload(self, payload: _Payload, budget: int) -> int:
        """Walk one payload, or as much of it as the budget allows; returns the bytes walked."""
        try:
            if self._framing.container is Container.ZSTD:
                return self._zstd(payload)
            if self._framing.scope is Scope.PAGE:
                return self._each_page(payload, budget)
            return self._members(payload.data, payload, payload.pages * self._page_size, budget)
        except (PayloadError, zstandard.ZstdError) as problem:
            self._problem(payload, str(problem))
            return len(payload.data)

    def _each_page(self, payload: _Payload, budget: int) -> int:
        table = 4 * payload.pages
        at, walked = table, 0
        for page in range(payload.pages):
            length = int.from_bytes(payload.data[4 * page : 4 * page + 4])
            if walked >= budget:
                break
            if not (self._framing.raw_escape and length == self._page_size):
                walked += self._members(payload.data[at : at + length], payload, self._page_size, budget - walked)
            at += length
        return walked

    def _members(self, data: memoryview, payload: _Payload, source: int, budget: int) -> int:
        """Walk all members of a payload; there must be as many as the encoder declares."""
        declared = 1 if self._encoder is None else self._encoder.members(source, self._framing.container)
        if self._framing.flush is not Flush.FINISH:
            return self._stream(data, payload, budget)
        at, members = 0, 0
        while at < len(data) and at < budget:
            at += self._stream(data[at:], payload, budget - at)
            members += 1
            if members == declared and at < min(len(data), budget):
                self._problem(payload, f"{len(data) - at} bytes after member {members}, {declared} declared")
                return len(data)
        if at >= len(data) and members != declared:
            self._problem(payload, f"{members} members, {declared} declared")
        return at

    def _stream(self, data: memoryview, payload: _Payload, budget: int) -> int:
        """Walk one stream with its container; returns the bytes that it takes, or the budget if that is less."""
        framing = self._framing
        starts = framing.scope is not Scope.CHANNEL or payload.opens_stream
        at = 0
        if starts:
            header = parse(data, framing.container)
            at = header.length
            if header.window is not None and header.window > 1 << framing.window:
                self._problem(payload, f"header announces a window of {header.window}")
        seen = walk(data, start=at, history=0 if starts else 1 << 15, window=1 << framing.window, limit=budget)
        self._found.streams += 1
        self._found.max_distance = max(self._found.max_distance, seen.max_distance)
        self._found.kinds |= {block.kind for block in seen.blocks}
        if seen.far is not None:
            self._problem(payload, f"distance {seen.far[1]} at output offset {seen.far[0]}")
        if seen.too_far is not None:
            offset, distance = seen.too_far
            self._problem(payload, f"distance {distance} at output offset {offset}, before the stream begins")
        if seen.truncated_by_limit:
            return budget
        if framing.flush is Flush.FINISH:
            if not seen.final:
                self._problem(payload, "the stream does not end")
                return len(data)
            end = at + seen.consumed + trailer_length(framing.container)
            if end > len(data):
                self._problem(payload, f"the stream's trailer lacks {end - len(data)} bytes")
            return end
        if not (seen.aligned and seen.ends_with_sync_marker):
            self._problem(payload, "the packet does not end with a sync flush")
        return len(data)

    def _zstd(self, payload: _Payload) -> int:
        if payload.opens_stream:
            frame = zstandard.get_frame_parameters(payload.data)
            self._found.streams += 1
            if frame.window_size > 1 << self._framing.window:
                self._problem(payload, f"frame announces a window of {frame.window_size}")
        return 0

    def _problem(self, payload: _Payload, what: str) -> None:
        self._found.problems.append(
            f"packet {payload.number} of channel {payload.channel}: {what}, {self._framing.name} promises"
            f" {self._framing.shape()}"
        )
