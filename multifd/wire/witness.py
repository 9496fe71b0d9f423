"""The witness: looks at every byte of a migration that somebody else forwards, and says what did not hold.

It never asks for anything. Each connection has an onlooker (:mod:`multifd.wire.onlooker`), fed by a thread of its own;
what holds between connections is looked at in the end. What could not be looked at is *unseen*, with the reason: of
that nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from multifd.errors import Place
from multifd.wire.invariants import Channel, Sender, Violation, between, inside
from multifd.wire.onlooker import ChannelLook, MainLook, Onlooker, OpaqueLook
from multifd.wire.promise import Counted


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of one migration."""

    carried: int
    """Bytes from sender to receiver, over all connections."""
    broken: tuple[str, ...] = ()
    """Invariants that did not hold, each with its place."""
    unseen: tuple[str, ...] = ()
    """What was not looked at, and why."""


class Witness:
    """Of one migration of this sender."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._connections: list[Onlooker] = []

    def connection(self) -> Onlooker:
        """The next connection of the sender."""
        onlooker = Onlooker(self._sender)
        self._connections.append(onlooker)
        return onlooker

    def conclude(self, *, completed: bool, transferred: int) -> Watched:
        """What was seen, once nothing more comes.

        ``completed`` and ``transferred`` (``ram.transferred``, in bytes) are the source's own words.
        """
        carried = sum(each.carried for each in self._connections)
        unseen = list(self._unseen(completed=completed))
        looks = [each.look for each in self._connections]
        channels = [look for look in looks if isinstance(look, ChannelLook)]
        main = next((look for look in looks if isinstance(look, MainLook)), None)
        whole = completed and not unseen
        if whole:
            for look in channels:
                look.end()
        seen = sorted((look.seen for look in channels), key=lambda channel: channel.id)
        found = [violation for channel in seen for violation in channel.violations]
        found += between(seen, main.flushes if main is not None and not main.unseen else None, whole=whole)
        if main is not None:
            unseen += [f"main: {main.unseen}"] if main.unseen else []
            found += inside(seen, main.blocks) if main.blocks else []
        if whole and self._sender.promise.counted is None:
            unseen.append("ram.transferred: what it counts was not carried here, or nobody knows what it counts")
        elif whole:
            found += self._counted(seen, carried, transferred)
        return Watched(carried, tuple(map(str, found)), tuple(unseen))

    def _counted(self, channels: list[Channel], carried: int, transferred: int) -> Iterator[Violation]:
        """What the source says that it sent."""
        if self._sender.promise.counted is Counted.WIRE:
            least, most, why = carried, carried, "the sum of all connections"
        else:
            least = sum(channel.in_memory for channel in channels)
            most = least + sum(each.carried for each in self._connections if isinstance(each.look, MainLook))
            why = "headers and pages as they are in memory, and at most all of main"
        if not least <= transferred <= most:
            due = f"{least}" if least == most else f"{least} to {most}"
            yield Violation(Place(), "ram.transferred", transferred, f"{due}, {why}")

    def _unseen(self, *, completed: bool) -> Iterator[str]:
        """Connections that were not looked at to their ends."""
        for number, each in enumerate(self._connections):
            if isinstance(each.look, OpaqueLook):
                yield f"connection {number}: {each.look.unseen}"
            elif each.look is None and each.carried:
                yield f"connection {number}: its {each.carried} bytes do not say what it is"
            elif completed and not each.ended:
                yield f"connection {number}: the receiver was gone before its end"
