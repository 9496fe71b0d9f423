"""What a receiver makes of connections that misbehave: that one ends early, or that somebody else connects.

Late, slow and out of order is right, however late. What a QEMU says is measured on 10.0.2, 10.0.13 and 11.1.3; one
before 9.0 says what it says of everything (:data:`multifd.oracle.qemu.TELLS_NOT`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from multifd.oracle.decision import Decision
from multifd.oracle.question import Question
from multifd.wire.link import Boundary, Link, Stranger

_EARLY: Final = "Unexpected end-of-file"
"""``qio_channel_readv_full_all`` (io/channel.c, QEMU 11.1)."""
_PEEK: Final = "Failed to peek at channel"
"""``migration_channel_read_peek`` (migration/channel.c, QEMU 11.1): whoever connects and says nothing."""
MAIN_BREAKS: Final = "Read section footer failed|Section footer error|Getting RAM address failed|migration flags"
"""The main channel is cut where it is when a channel has failed, at either end, and may be first to be heard."""
_OURS: Final = "stream ended|SYNC|magic|init packet"
"""What our receiver says."""
_SAID: Final[Mapping[Boundary | Stranger, str]] = MappingProxyType(
    {
        Boundary.BEFORE_INIT: _PEEK,
        Boundary.IN_INIT: rf"failed to receive packet via multifd channel \d+: {_EARLY}",
        Boundary.AFTER_INIT: f"{_EARLY}|{MAIN_BREAKS}",
        Boundary.IN_HEADER: f"{_EARLY}|{MAIN_BREAKS}",
        Boundary.IN_PAYLOAD: f"{_EARLY}|{MAIN_BREAKS}",
        Boundary.BETWEEN: f"{_EARLY}|{MAIN_BREAKS}",
        Boundary.AT_SYNC: f"{_EARLY}|{MAIN_BREAKS}",
        Stranger.SILENT: _PEEK,
        Stranger.LEAVES: _PEEK,
        Stranger.GARBAGE: r"received packet magic 10203 expected 11223344|unknown channel magic: 66051",
        Stranger.SECOND: r"received channel id \d+ |received id '\d+' already setup",
    }
)
"""By what happens, a regular expression."""


def over(q: Question) -> Decision | None:
    """What follows from the link; None where memory arrives all the same."""
    link = q.link
    happens = _happens(link) if link is not None else None
    if link is None or happens is None:
        return None
    error = _SAID[happens] if q.receiver.qemu else _OURS
    return Decision("rejected", f"{link.why}: {_because(happens)}", error)


def _happens(link: Link) -> Boundary | Stranger | None:
    if link.cut is not None and link.cut.at is not Boundary.AT_END:
        return link.cut.at
    return link.stranger if link.stranger is not Stranger.LAST else None


def _because(happens: Boundary | Stranger) -> str:
    match happens:
        case Stranger.SECOND:
            return "ids are below the number of channels"
        case Stranger():
            return "a receiver takes whoever connects for its sender"
        case _:
            return "what is missing does not come any more"
