"""Whether those who take part in a migration can still move. Slow is no standstill, whoever is slow.

It is *known* that nobody can move when

- every thread of every process that takes part, and of ours through which the stream goes, waits without a time limit
  for somebody else (:mod:`multifd.process.waits`),
- none of them has run between two looks without a question of ours in between, and
- every socket of theirs leads to one of them (:mod:`multifd.process.sockets`): bytes on their way through anybody else,
  a link that nobody has told us of or TCP, may still come.

That is told at once. Otherwise there must be silence, of which whoever watches knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, Protocol

from multifd.process.sockets import among_themselves, open_by, unix_sockets, unread
from multifd.process.threads import asleep
from multifd.process.waits import Waits, threads, waiting
from multifd.qemu.guest import Guest

_APART: Final = 0.03
"""Seconds between the two looks."""


class Carrier(Protocol):
    """Threads of our own process through which the stream goes, such as a tap's."""

    @property
    def threads(self) -> Iterable[int]:
        """Their native ids."""
        ...

    @property
    def sockets(self) -> Mapping[int, int | None]:
        """Their sockets by inode, with the process at the other end; None where that cannot be known."""
        ...


class Standstill:
    """Watches some guests, peers of ours ``between`` them by their process ids, and threads of ours ``through``
    which the stream goes. Guests that ``stand`` were stopped by us."""

    def __init__(
        self,
        guests: Sequence[Guest],
        between: Sequence[int] = (),
        through: Sequence[Carrier] = (),
        *,
        stand: Sequence[Guest] = (),
    ) -> None:
        self._guests = tuple(guest.pid for guest in guests)
        self._between = tuple(between)
        self._moving = (*self._guests, *self._between)
        self._pids = (*self._moving, *(guest.pid for guest in stand))
        self._ours = frozenset(chain.from_iterable(guest.sockets for guest in (*guests, *stand)))
        self._through = through

    @property
    def asleep(self) -> bool:
        """No thread of theirs runs or wants to."""
        return all(map(asleep, self._moving))

    def in_flight(self) -> Mapping[int, int]:
        """Bytes that have been sent and not read, by the reader's socket."""
        return unread(self._sockets(), self._ours, unix_sockets())

    def at_rest(self) -> bool:
        """Nothing is on its way, and none of our threads is about to do anything by itself."""
        ours = chain.from_iterable(carrier.threads for carrier in self._through)
        return self.asleep and waiting(ours) is not None and not self.in_flight()

    async def known(self) -> bool:
        """Nobody can move any more."""
        before = self._waits()
        # Of a socket that was closed under a thread which waits in it, only the one that it leads to knows.
        carried = chain.from_iterable(carrier.sockets.items() for carrier in self._through)
        sure = {inode for inode, pid in carried if pid in self._pids}
        if not before or not among_themselves(self._sockets(), self._ours, unix_sockets(), sure):
            return False
        await asyncio.sleep(_APART)
        return self._waits() == before

    def _waits(self) -> Waits | None:
        ours = chain.from_iterable(carrier.threads for carrier in self._through)
        theirs = waiting(chain(chain.from_iterable(map(threads, self._guests)), ours))
        between = waiting(chain.from_iterable(map(threads, self._between)), anyhow=True)
        return {**theirs, **between} if theirs is not None and between is not None else None

    def _sockets(self) -> set[int]:
        ours = chain.from_iterable(carrier.sockets for carrier in self._through)
        return {*chain.from_iterable(map(open_by, self._pids)), *ours}
