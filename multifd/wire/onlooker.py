"""Follows one connection of a migration that somebody else forwards.

::

    first bytes --"QEVM"--> main       read to the end of RAM, the rest is device state
                --magic---> channel    headers are read, payloads pass by their length
                --else----> opaque     TLS, or a stranger: only counted
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, TypeAlias

from typing_extensions import Buffer

from multifd.errors import Place, WireError
from multifd.wire.dialect import MainSync
from multifd.wire.fields import INIT, MAGIC, RAM, VERSION
from multifd.wire.invariants import Channel, Sender
from multifd.wire.main_reader import MainReader
from multifd.wire.main_stream import FILE_MAGIC, Blocks, EndOfSection, Event, Flush, RamEnd
from multifd.wire.packet import (
    DEVICE_STATE_SIZE,
    INIT_SIZE,
    PREFIX_SIZE,
    header_size,
    unpack_device_state,
    unpack_init,
    unpack_ram,
)

ALL: Final = 1 << 62
"""Every byte that may still come."""
_MAGIC_SIZE: Final = INIT["magic"].size
_UUID: Final = INIT["uuid"].place
_MOST_CHANNELS: Final = 255
_TLS: Final = bytes((0x16, 0x03))
"""How a TLS handshake begins (RFC 8446, section 5.1)."""
_MAIN_CHUNK: Final = 1 << 16


class Onlooker:
    """One connection. Feed it chunks of any size, or tell it of bytes that it need not see; nothing makes it fail."""

    def __init__(self, sender: Sender) -> None:
        self.carried = 0
        """Bytes that have come."""
        self.ended = False
        """The sender has ended it."""
        self.look: Look | None = None
        """None until it is known what it is."""
        self._sender = sender
        self._head = b""

    @property
    def wanted(self) -> int:
        """Bytes that are best fed next, besides those that pass; never 0 where none pass."""
        if self.look is not None:
            return self.look.wanted
        return (_MAGIC_SIZE if len(self._head) < _MAGIC_SIZE else INIT_SIZE) - len(self._head)

    @property
    def passing(self) -> int:
        """Bytes to come that need not be seen."""
        return self.look.passing if self.look is not None else 0

    def feed(self, data: Buffer) -> None:
        """What has come."""
        view = memoryview(data).cast("B")
        self.carried += len(view)
        if self.look is None:
            self._head += view
            self.look = self._known()
            view, self._head = memoryview(self._head), b"" if self.look is not None else self._head
        if self.look is not None:
            self.look.feed(view)

    def passed(self, size: int) -> None:
        """So many bytes have come, at most :attr:`passing`."""
        self.carried += size
        if self.look is not None:
            self.look.passed(size)

    def finish(self) -> None:
        """The sender has ended it."""
        self.ended = True

    def _known(self) -> Look | None:
        head = self._head
        if len(head) < _MAGIC_SIZE:
            return None
        match int.from_bytes(head[:_MAGIC_SIZE]):
            case magic if magic == FILE_MAGIC:
                return MainLook(self._sender)
            case magic if magic == MAGIC:
                return ChannelLook(self._sender, head[:INIT_SIZE]) if len(head) >= INIT_SIZE else None
            case _:
                return OpaqueLook("TLS" if head.startswith(_TLS) else f"it begins with {head[:_MAGIC_SIZE].hex()}")


class OpaqueLook:
    """A connection that is only counted."""

    def __init__(self, unseen: str) -> None:
        self.unseen = unseen
        """Why."""
        self.wanted = 0
        self.passing = ALL

    def feed(self, data: memoryview) -> None:
        """It says nothing."""

    def passed(self, size: int) -> None:
        """It says nothing."""


class MainLook:
    """The main channel, to the end of RAM."""

    def __init__(self, sender: Sender) -> None:
        self.unseen = ""
        """Why it could not be followed to the end of RAM; empty where it could."""
        self.wanted = _MAIN_CHUNK
        self.passing = 0
        self.blocks: dict[str, int] = {}
        self.flushes = 0
        """Times that it said SYNC."""
        self._mark = Flush if sender.main_sync is MainSync.FLUSH else EndOfSection
        self._reader = MainReader(sender.page_size, zero_pages=False)

    def feed(self, data: memoryview) -> None:
        """What has come."""
        if self.passing:
            return
        try:
            events = self._reader.feed(data)
        except WireError as problem:
            self.unseen, events = str(problem), self._reader.left()
        for event in events:
            self._take(event)
        if self.unseen:
            self._end()

    def passed(self, size: int) -> None:
        """It was device state."""

    def _take(self, event: Event) -> None:
        if isinstance(event, Blocks):
            self.blocks |= event.blocks
        elif isinstance(event, RamEnd):
            self._end()
        self.flushes += isinstance(event, self._mark)

    def _end(self) -> None:
        self.wanted, self.passing = 0, ALL


class ChannelLook:
    """A multifd channel."""

    def __init__(self, sender: Sender, init: bytes) -> None:
        self.unseen = ""
        self.passing = 0
        self._want = INIT_SIZE
        self._sender = sender
        self._at = 0
        self._got = bytearray()
        self.seen = Channel(INIT["id"].read(init), sender, init[_UUID])  # type: ignore[arg-type]
        self._packets = self._follow()
        self._next(None)

    @property
    def wanted(self) -> int:
        """Bytes that are best shown next, besides those that pass: at most a header, for a payload may follow."""
        begins = self.passing or self._want == PREFIX_SIZE
        return (header_size(self._sender.page_size) if begins else self._want) - len(self._got)

    def feed(self, data: memoryview) -> None:
        """What has come."""
        while data:
            if self.passing:
                size = min(self.passing, len(data))
                data = data[size:]
                self.passed(size)
                continue
            part = data[: self._want - len(self._got)]
            data = data[len(part) :]
            self._at += len(part)
            self._got += part
            if len(self._got) == self._want:
                record = bytes(self._got)
                self._got.clear()
                self._next(record)

    def passed(self, size: int) -> None:
        """It was payload."""
        self._at += size
        self.passing -= size
        if size and not self.passing:
            self._next(None)

    def end(self) -> None:
        """It ends here, and all was sent."""
        place = Place(channel=self.seen.id, offset=self._at)
        if self.seen.lost:
            return
        whole = not self.passing and not self._got and self._want == PREFIX_SIZE
        self.seen.lost = not whole
        if self.passing:
            self.seen.note(place, "next_packet_size", f"{self.passing} bytes too large", "as many bytes as follow")
        elif not whole:
            self.seen.note(place, "packet", f"cut after {len(self._got)} of {self._want} bytes", "a whole one")

    def _next(self, record: bytes | None) -> None:
        want = next(self._packets) if record is None else self._packets.send(record)
        self._want, self.passing = (want, 0) if want > 0 else (0, -want)

    def _follow(self) -> Generator[int, bytes, None]:
        """Asks for so many bytes, or, below zero, lets them pass."""
        init = yield INIT_SIZE
        try:
            unpack_init(init, channels=_MOST_CHANNELS, uuid=init[_UUID])
        except WireError as problem:
            self.seen.note(Place(channel=self.seen.id, offset=0), problem.field, problem.value, f"{problem.expected}")
        rest = header_size(self._sender.page_size) - PREFIX_SIZE
        while True:
            at = self._at
            prefix = yield PREFIX_SIZE
            if not self._begins(prefix, at):
                break
            if self._is_device_state(prefix):
                size = unpack_device_state(prefix + (yield DEVICE_STATE_SIZE - PREFIX_SIZE)).next_packet_size
            else:
                header = unpack_ram(prefix + (yield rest), self._sender.page_size)
                size = self.seen.packet(header, at)
            if size:
                yield -size
        self.seen.lost = True
        while True:
            yield -ALL

    def _begins(self, prefix: bytes, at: int) -> bool:
        """A packet begins so."""
        for name, due in (("magic", MAGIC), ("version", VERSION)):
            value = RAM[name].read(prefix)
            if value != due:
                self.seen.note(Place(channel=self.seen.id, offset=at), name, f"{value:#x}", f"{due:#x}")
                return False
        return True

    def _is_device_state(self, prefix: bytes) -> bool:
        flag = self._sender.dialect.device_state or 0
        flags = RAM["flags"].read(prefix)
        assert isinstance(flags, int)
        return bool(flags & flag)


Look: TypeAlias = MainLook | ChannelLook | OpaqueLook
"""What looks at a connection once it is known what it is."""
