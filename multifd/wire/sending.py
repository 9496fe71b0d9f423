"""A sender's end of one multifd channel: its headers, in the manner of its dialect."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import numpy as np

from multifd.wire import packet as wire
from multifd.wire.dialect import FLAG_SYNC, Dialect, SyncCarrier

_NO_PAGES: Final = np.empty(0, np.uint64)


class SendingChannel:
    """A sender's end of one channel: makes the headers, in order.

    ``numbers`` is shared by all channels of a migration, for packet numbers count over all of them.
    """

    def __init__(
        self,
        dialect: Dialect,
        channel: int,
        *,
        flag: int,
        page_size: int,
        numbers: Iterator[int] | None = None,
        uuid: bytes = wire.NO_UUID,
    ) -> None:
        self.dialect = dialect
        self.channel = channel
        self._flag = flag
        self._page_size = page_size
        self._numbers = numbers if numbers is not None else itertools.count()
        self._uuid = uuid
        self._last = 0
        self._stale_size = 0
        self._stale_block = ""

    def open(self) -> bytes:
        """The init packet."""
        return wire.pack_init(self.channel, self._uuid)

    def packet(
        self, block: str, normal: wire.Offsets, zero: wire.Offsets, payload_size: int, *, sync: bool = False
    ) -> bytearray:
        """Header of a packet with these pages; ``sync`` only where the dialect sets it on data packets."""
        self._stale_size, self._stale_block = payload_size or self._stale_size, block
        return wire.pack_ram(
            wire.RamHeader(
                flags=self._flag | (FLAG_SYNC if sync else 0),
                pages_alloc=wire.slots(self._page_size),
                normal_pages=len(normal),
                next_packet_size=payload_size,
                packet_num=self._next(),
                zero_pages=len(zero),
                ramblock=block,
                offsets=np.concatenate((normal, zero)) if len(zero) else normal,
            ),
            self._page_size,
        )

    def sync(self) -> bytearray:
        """Header of the packet that carries SYNC and no page."""
        if self.dialect.sync is SyncCarrier.OWN:
            return self._empty(FLAG_SYNC, pages_alloc=0, size=0, block="", number=self._next())
        return self._stale(FLAG_SYNC, self._next())

    def trailing(self) -> bytearray:
        """The empty packet that QEMU before 9.0 may send after a SYNC: the last packet's number and fields again."""
        return self._stale(0, self._last)

    def _stale(self, flags: int, number: int) -> bytearray:
        return self._empty(flags, wire.slots(self._page_size), self._stale_size, self._stale_block, number)

    def _next(self) -> int:
        self._last = next(self._numbers)
        return self._last

    def _empty(self, flags: int, pages_alloc: int, size: int, block: str, number: int) -> bytearray:
        header = wire.RamHeader(flags, pages_alloc, 0, size, number, 0, block, _NO_PAGES)
        return wire.pack_ram(header, self._page_size)
