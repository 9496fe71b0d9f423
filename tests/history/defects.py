"""Defects, and what only looks like one: what is done to a migration, and in which cell of the suite.

A cell is a pattern of ids; ``OLD`` and ``NEW`` stand for the oldest and the newest QEMU of the host. Most defects are
put into what travels: between two QEMUs it is the same whether the sender did not send a packet or the receiver did not
look at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from multifd.result.record import Kind
from tests.history import conduct, packets
from tests.history.conduct import Conduct
from tests.history.packets import always, first, last_sync, late, zero_only
from tests.history.proxy import Way


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that went wrong once, or could."""

    name: str
    commits: tuple[str, ...]
    """Of QEMU that mended it; none where it is of no known defect."""
    cell: str
    wrong: Way | Conduct
    kinds: frozenset[Kind]
    """Of the failure that must be seen."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Harmless:
    """What a network or a version may do, and nobody must mind."""

    name: str
    cell: str
    way: Way

    def __str__(self) -> str:
        return self.name


RAW: Final = "qemu/none/NEW~NEW/*/migrate/*"
STREAM: Final = "qemu/zlib/NEW~NEW/*/migrate/*"
FROM_OLD: Final = "qemu/none/OLD~NEW/*/migrate/*"
TO_OLD: Final = "qemu/zlib/NEW~OLD/*/migrate-legacy/*"
TCP: Final = "qemu/none/NEW~NEW/*/tcp/*"
REFUSED: Final = "qemu/zlib~zstd/NEW~NEW/*/migrate/*"
RUNS: Final = "qemu/zlib/NEW~NEW/*/zero-run/*"

LEAKS: Final = (
    "13f2cb21e5", "ad31b8af73", "9e8424088c", "10351fbad1", "e1921f10d9", "6ae208ce96", "4c107870e8", "405e352d28",
    "56b9cfd5da", "1bcb0ecfb5",
)  # fmt: skip

_raw = partial(Way, raw_pages=True)
_CORRUPT: Final = frozenset[Kind]({"corrupt"})
_STOPS: Final = frozenset[Kind]({"corrupt", "hang"})
"""Where one side says completed before the other stops it is both."""
_ANYHOW: Final = _STOPS | frozenset[Kind]({"crash", "wrong-error", "invariant"})
"""It stops, and what is seen first is a matter of luck and of the version."""
_CRASH: Final = frozenset[Kind]({"crash"})
_INVARIANT: Final = frozenset[Kind]({"invariant"})


def _every(_: object) -> bool:
    return True


DEFECTS: Final = (
    Defect("zero-pages-ignored", ("2588a5f99b", "a523bc5216"), STREAM, Way(always(packets.no_zero_pages, _every)),
           _CORRUPT),
    Defect("data-with-sync-dropped", ("b93d897ea2",), FROM_OLD, _raw(packets.data_with_sync_dropped), _CORRUPT),
    Defect("stopped-at-the-switchover", ("37c74b1dbb",), STREAM, Way(first(packets.stalled, last_sync)), _STOPS),
    Defect("cut-at-the-switchover", ("37c74b1dbb",), STREAM, Way(first(packets.cut, last_sync)),
           _ANYHOW),
    Defect("main-last", ("6720c2b327",), TO_OLD, Way(main_last=2), frozenset({"hang"})),
    Defect("channel-id-too-high", ("810bf31a1b",), STREAM, Way(ids=lambda number: number + (number == 1)),
           _ANYHOW),
    Defect("late-flip-of-pages", (), RAW, _raw(first(packets.flipped, late)), _CORRUPT),
    Defect("late-flip-in-a-stream", (), STREAM, Way(first(packets.flipped, late)), _CORRUPT | {"wrong-error"}),
    Defect("late-offsets-swapped", (), RAW, _raw(first(packets.offsets_swapped, late)), _CORRUPT),
    Defect("late-packet-lost", (), RAW, _raw(first(packets.dropped, late)), _CORRUPT),
    Defect("late-packet-twice-in-a-stream", (), STREAM, Way(first(packets.doubled, late)),
           _CORRUPT | _INVARIANT | {"wrong-error"}),
    Defect("late-sync-lost", (), RAW, _raw(first(packets.without_sync, last_sync)), _STOPS),
    Defect("stale-size", (), STREAM, Way(first(packets.stale_size, zero_only)), _ANYHOW),
    Defect("zero-packets-dropped", ("cdc3970f85",), RUNS, Way(always(packets.dropped, zero_only)), _CORRUPT),
    Defect("zero-packet-missing", ("cdc3970f85",), STREAM, Way(first(packets.dropped, zero_only)), _INVARIANT),
    Defect("number-lost", ("98ea497d8b",), RAW, _raw(packets.from_then_on(1, late)), _INVARIANT),
    Defect("number-twice", ("98ea497d8b",), RAW, _raw(packets.from_then_on(-1, late)), _INVARIANT),
    Defect("late-packet-twice", (), RAW, _raw(first(packets.doubled, late)), _INVARIANT),
    Defect("miscounted", ("cbec7eb768", "68b6e00048", "1618f55221", "0926c002c7"), STREAM, conduct.miscounts,
           _INVARIANT),
    Defect("aborts-when-reset", ("93c8a97f99",), REFUSED, conduct.ABORTS_WHEN_RESET, _CRASH),
    Defect("migrates-never-again", ("4f08b870f8",), "qemu/*/NEW~NEW/*/cancel-active/*",
           conduct.refuses_to_migrate_again, frozenset({"wrong-error"})),
    Defect("dies-of-cancel", ("27eb8499ed", "d657a14de5"), "qemu/*/NEW~NEW/*/cancel-active/*", conduct.DIES_OF_CANCEL,
           _CRASH),
    Defect("dies-of-quit", ("27eb8499ed", "d657a14de5"), "qemu/*/NEW~NEW/*/quit-source-active/*",
           conduct.DIES_OF_QUIT, _CRASH),
    Defect("leaks-a-descriptor", LEAKS, "qemu/*/NEW~NEW/*/many-completed/*", conduct.leaks_a_descriptor, _INVARIANT),
    Defect("leaks-a-thread", LEAKS, "qemu/*/NEW~NEW/*/many-completed/*", conduct.leaks_a_thread, _INVARIANT),
)  # fmt: skip
"""The suite must find these."""

HARMLESS: Final = (
    Harmless("held-back-and-reversed", RAW, _raw(packets.held_back)),
    Harmless("in-small-pieces", TCP, _raw(piece=997)),
    Harmless("in-small-pieces-from-an-old-sender", FROM_OLD, _raw(piece=997)),
    Harmless("leftovers-in-unused-slots", STREAM, Way(always(packets.leftovers, _every))),
    Harmless("leftovers-to-an-old-receiver", TO_OLD, Way(always(packets.leftovers, _every))),
    Harmless("leftovers-in-runs-of-zero-pages", RUNS, Way(always(packets.leftovers, _every))),
    Harmless("main-last", STREAM, Way(main_last=2)),
    Harmless("a-moment-late", STREAM, Way(first(partial(packets.stalled, seconds=0.3), last_sync))),
    Harmless("three-seconds-late", STREAM, Way(first(partial(packets.stalled, seconds=3.0), last_sync))),
)
"""Each cell that a defect is put into is here too."""
