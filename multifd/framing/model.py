"""Framings: what a payload looks like, as data.

Every multifd method is one framing; the proposals of the 2023 thread ("Introduce unimplemented 'qatzip'
compression method") are further ones and travel under the flag of the method that they would replace. A
framing's parameters follow its name in brackets: ``zlib-packet[window=12]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from multifd.errors import InputError
from multifd.framing.container import Container


class Scope(StrEnum):
    """How far one compressed stream reaches."""

    CHANNEL = "channel"
    """One stream for the life of the channel; it never ends."""
    PACKET = "packet"
    """A complete stream for each packet."""
    PAGE = "page"
    """A complete stream for each page."""


class Flush(StrEnum):
    """How the bytes of a packet are made to reach the receiver."""

    FINISH = "finish"
    """The stream ends (final block, trailer)."""
    PACKET = "sync-packet"
    """A sync flush after the packet's last page: empty stored block, ``0000ffff``."""
    PAGE = "sync-page"
    """A sync flush after every page."""


@dataclass(frozen=True, slots=True)
class Framing:
    """What a payload looks like."""

    name: str
    travels_as: str
    """The method whose flag the packets carry."""
    container: Container
    scope: Scope
    flush: Flush
    window: int
    """Bits of the largest distance that the encoder may use (DEFLATE 9 to 15; zstd: log2 of the frame's window)."""
    length_table: bool
    """A u32 (big-endian) length for each page precedes the pages."""
    raw_escape: bool
    """A page that does not shrink is sent as it is; its length is then the page size."""
    origin: str
    """Where this framing is defined."""

    @property
    def raw_pages(self) -> bool:
        """Payloads are the pages themselves."""
        return self.container is Container.NONE

    def shape(self) -> str:
        """The framing in one line, for people."""
        parts = [f"container {self.container}", f"one stream per {self.scope}", f"flush {self.flush}"]
        if self.raw_pages:
            return "pages as they are"
        parts.append(f"window {1 << self.window}")
        if self.length_table:
            parts.append("length table" + (", pages that do not shrink raw" if self.raw_escape else ""))
        return ", ".join(parts)


def _framing(
    name: str,
    travels_as: str,
    container: Container,
    scope: Scope,
    flush: Flush,
    origin: str,
    window: int = 15,
    *,
    length_table: bool = False,
    raw_escape: bool = False,
) -> Framing:
    return Framing(name, travels_as, container, scope, flush, window, length_table, raw_escape, origin)


_METHODS: Final = (
    _framing("none", "none", Container.NONE, Scope.PAGE, Flush.FINISH, "migration/multifd-nocomp.c (QEMU 10.2)"),
    _framing("zlib", "zlib", Container.ZLIB, Scope.CHANNEL, Flush.PACKET, "migration/multifd-zlib.c (QEMU 10.2)"),
    _framing("zstd", "zstd", Container.ZSTD, Scope.CHANNEL, Flush.PACKET, "migration/multifd-zstd.c (QEMU 10.2)", 19),
    _framing(
        "qpl", "qpl", Container.RAW, Scope.PAGE, Flush.FINISH, "migration/multifd-qpl.c (QEMU 9.1)", 12,
        length_table=True, raw_escape=True,
    ),
    _framing(
        "uadk", "uadk", Container.ZLIB, Scope.PAGE, Flush.FINISH, "migration/multifd-uadk.c (QEMU 9.1)",
        length_table=True, raw_escape=True,
    ),
    _framing(
        "qatzip", "qatzip", Container.GZIP_EXT, Scope.PACKET, Flush.FINISH, "migration/multifd-qatzip.c (QEMU 9.2)"
    ),
)  # fmt: skip


def _proposals() -> Iterator[Framing]:
    yield _framing(
        "qatzip-stub", "none", Container.NONE, Scope.PAGE, Flush.FINISH, "seed patch: option accepted, NOCOMP sent"
    )
    for window in (15, 12):
        yield _framing(
            f"zlib-packet[window={window}]", "zlib", Container.ZLIB, Scope.PACKET, Flush.FINISH,
            "thread, option 1: one complete stream per packet", window,
        )  # fmt: skip
        yield _framing(
            f"zlib-page[window={window}]", "zlib", Container.ZLIB, Scope.PAGE, Flush.FINISH,
            "thread, option 2: every page on its own, lengths sent along", window, length_table=True,
        )  # fmt: skip
        yield _framing(
            f"zlib-sync-page[window={window}]", "zlib", Container.ZLIB, Scope.CHANNEL, Flush.PAGE,
            "thread: Z_SYNC_FLUSH on all deflate calls", window,
        )  # fmt: skip
    for name, container, origin in (
        ("raw-packet", Container.RAW, "thread: QZ_DEFLATE_RAW, no header at all"),
        ("gzip-packet", Container.GZIP, "thread: deflate wrapped by gzip header and footer"),
        ("4b-packet", Container.FOUR_B, "thread: deflate with a 4 byte header"),
    ):
        yield _framing(name, "qatzip", container, Scope.PACKET, Flush.FINISH, origin)
    yield _framing(
        "raw-packet[window=12]", "qatzip", Container.RAW, Scope.PACKET, Flush.FINISH,
        "thread: raw deflate with the window that its header would have carried", 12,
    )  # fmt: skip


FRAMINGS: Final[Mapping[str, Framing]] = MappingProxyType({f.name: f for f in (*_METHODS, *_proposals())})
"""All framings by full name: the six methods first, then the proposals."""

METHOD_FRAMINGS: Final = tuple(f.name for f in _METHODS)
PROPOSALS: Final = tuple(name for name in FRAMINGS if name not in METHOD_FRAMINGS)


def framing(name: str) -> Framing:
    """The framing of that full name; ``zlib-packet`` alone means its window of 15 bits."""
    known = FRAMINGS.get(name) or FRAMINGS.get(f"{name}[window=15]")
    if known is None:
        raise InputError(f"framing {name!r} is unknown; expected one of {', '.join(FRAMINGS)}")
    return known
