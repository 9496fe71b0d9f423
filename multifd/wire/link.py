"""What may happen to the connections of a migration on their way, as declarations.

A link is a pure description: the order of connections, what is late or slow, where one is cut, who else connects. It is
applied by :mod:`multifd.migrate.relay`, and the oracle predicts what follows (:mod:`multifd.oracle.link`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAIN: Final = -1
"""The main channel, where others are numbers of channels."""


class Order(StrEnum):
    """In which order connections are made."""

    AS_THEY_COME = "as they come, main first"
    REVERSED = "main first, then the channels from the last to the first"
    MAIN_LAST = "the channels from the last to the first, then main"


class Boundary(StrEnum):
    """A place in the stream of one channel."""

    BEFORE_INIT = "before its init packet"
    IN_INIT = "within its init packet"
    AFTER_INIT = "behind its init packet"
    IN_HEADER = "within the header of its first packet"
    IN_PAYLOAD = "within its first payload"
    BETWEEN = "behind its first packet with a payload"
    AT_SYNC = "behind its first SYNC"
    AT_END = "where the sender ends it"


@dataclass(frozen=True, slots=True)
class Cut:
    """A channel ends there."""

    at: Boundary
    half: bool = False
    """Only the receiver sees it end: what the sender sends on is dropped."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A channel is not read for a while."""

    behind: int
    """Bytes that pass before."""
    seconds: float


class Stranger(StrEnum):
    """Somebody who connects too, with a connection that nobody else has."""

    SILENT = "connects first, says nothing and stays"
    LEAVES = "connects first, says nothing and leaves"
    GARBAGE = "connects first, says what is no part of a migration and stays"
    SECOND = "connects after main, says that it is the channel behind the last one, and stays"
    LAST = "connects when all have, says that it is the channel behind the last one, and stays"


@dataclass(frozen=True, slots=True)
class Link:
    """What the connections of one migration meet. ``channel`` is whose: of the cut, the stall, or who is late."""

    why: str
    """In words, as a clause."""
    channel: int = 1
    order: Order = Order.AS_THEY_COME
    late: float = 0
    """Seconds between the arrival of the channel's connection and that at the receiver."""
    rate: int | None = None
    """Bytes a second, of all connections together."""
    stall: Stall | None = None
    cut: Cut | None = None
    stranger: Stranger | None = None
