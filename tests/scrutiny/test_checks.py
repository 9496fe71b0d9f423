"""Every check says nothing about a library that is right, and finds each thing that one does wrong."""

from __future__ import annotations

import ctypes
import os
import threading
import zlib
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import pytest

from multifd.framing.container import Container
from multifd.scrutiny.checks import CHECKS, endurance
from multifd.scrutiny.memory import Region
from multifd.scrutiny.observation import Observation
from multifd.scrutiny.subject import Answer
from tests.scrutiny.honest import SHORT, Honest, HonestSession

FORMATS = (Container.RAW, Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B)


def observed(check: str, subject: Honest) -> Iterator[Observation]:
    chosen = partial(endurance.check, calls=400) if check == "endurance" else CHECKS[check]
    return chosen(subject)


def complaints(check: str, session: type[HonestSession], container: Container = Container.GZIP) -> list[str]:
    return [seen.complaint for seen in observed(check, Honest(session, (container,))) if not seen.ok]


@pytest.mark.parametrize("check", CHECKS)
def test_a_library_that_is_right_gets_no_complaint(check: str) -> None:
    seen = list(observed(check, Honest(containers=FORMATS)))

    assert seen
    assert [one.complaint for one in seen if not one.ok] == []


def severities(check: str, session: type[HonestSession], container: Container = Container.GZIP) -> set[str | None]:
    return {seen.severity for seen in observed(check, Honest(session, (container,))) if not seen.ok}


def test_levels_finds_one_that_does_not_work() -> None:
    class Broken(HonestSession):
        def compress(self, source: Region, room: Region) -> Answer:
            return Answer("NOT TODAY", 0, False) if self.level == 9 else super().compress(source, room)

    assert complaints("levels", Broken) == [
        "compressed with level 9, read by zlib: expected identical, observed refused: NOT TODAY (gzip)"
    ]


def test_sizes_finds_a_threshold() -> None:
    class Forgetful(HonestSession):
        def engine(self, content: bytes, wbits: int) -> bytes:
            return super().engine(content[:65536], wbits)

    assert complaints("sizes", Forgetful) == [
        "gzip: text compressed, read by zlib: expected identical, observed OK with wrong bytes"
        " (65537, 131071, 131072, 131073, 524288, 1048576, 2097151, 2097152, 2097153, 4194304)",
        "gzip: noise compressed, read by zlib: expected identical, observed OK with wrong bytes"
        " (65537, 131071, 131072, 131073)",
    ]


def test_destination_finds_what_is_written_behind_it() -> None:
    class Sloppy(HonestSession):
        def hand_over(self, data: bytes, room: Region) -> Answer:
            if len(data) == room.size:
                ctypes.memmove(room.address + room.size, b"..", 2)
            return super().hand_over(data, room)

    assert complaints("destination", Sloppy)[0] == (
        "compressing a page, destination exactly right: expected identical,"
        " observed identical, and 2 bytes behind the destination (gzip)"
    )


def test_destination_finds_success_that_is_short() -> None:
    class Silent(HonestSession):
        def hand_over(self, data: bytes, room: Region) -> Answer:
            return super().hand_over(data[: room.size], room)

    assert (
        "decompressing a page, destination of ten bytes: expected refused: TOO SHORT,"
        " observed OK with 10 of 4096 bytes (gzip)"
    ) in complaints("destination", Silent)
    assert severities("destination", Silent) == {"contract", "corruption"}


def test_boundary_finds_a_source_that_is_read_beyond_its_end() -> None:
    class Curious(HonestSession):
        def decompress(self, source: Region, room: Region) -> Answer:
            ctypes.string_at(source.address, max(20, source.size))
            return super().decompress(source, room)

    assert complaints("boundary", Curious) == [
        "decompressing the first N bytes of a stream: expected stays inside, observed signal SIGSEGV at 1-19 (gzip)"
    ]
    assert severities("boundary", Curious) == {"crash"}


def test_reuse_finds_a_session_that_an_error_has_spoilt() -> None:
    class Offended(HonestSession):
        spoilt = False

        def decompress(self, source: Region, room: Region) -> Answer:
            answer = SHORT if self.spoilt else super().decompress(source, room)
            self.spoilt = not answer.ok
            return answer

    assert [line.split(":")[0] for line in complaints("reuse", Offended)] == [
        "decompressing after a decompression into ten bytes",
        "decompressing after half a stream",
        "decompressing after a damaged stream",
        "decompressing after garbage",
    ]


def test_reuse_finds_output_that_depends_on_history() -> None:
    class Moody(HonestSession):
        def engine(self, content: bytes, wbits: int) -> bytes:
            self.level = self.level % 9 + 1
            return super().engine(content, wbits)

    assert complaints("reuse", Moody) == [
        "one page compressed three times: expected the same size every time, observed different sizes (gzip)"
    ]


class Gullible(HonestSession):
    """Looks at no trailer, and takes the end of its input for the end of the data."""

    def decompress(self, source: Region, room: Region) -> Answer:
        engine = zlib.decompressobj(-15)
        try:
            content = engine.decompress(ctypes.string_at(source.address, source.size)[10:])
        except zlib.error:
            return SHORT
        return self.hand_over(content, room)


@pytest.mark.parametrize(
    "damage",
    [
        "a bit of the stored data flipped: expected noticed or identical, observed wrong bytes 48",
        "a bit of the CRC-32 flipped: expected noticed, observed identical 32",
        "a bit of the ISIZE flipped: expected noticed, observed identical 32",
        "a bit of the magic and method flipped: expected noticed, observed identical 24",
        "the end cut off: expected noticed, observed identical 3, short 1",
    ],
)
def test_corruption_finds_what_nobody_noticed(damage: str) -> None:
    assert f"gzip: {damage}" in complaints("corruption", Gullible)


def test_corruption_tells_wrong_bytes_from_what_nobody_compared() -> None:
    assert severities("corruption", Gullible) == {"corruption", "contract"}


class Fragile(HonestSession):
    """Dies of damaged data."""

    def decompress(self, source: Region, room: Region) -> Answer:
        answer = super().decompress(source, room)
        if not answer.ok:
            os.abort()
        return answer


def test_corruption_goes_on_behind_a_death() -> None:
    found = complaints("corruption", Fragile)

    assert "gzip: the end cut off: expected noticed, observed signal SIGABRT 4" in found
    assert severities("corruption", Fragile) == {"crash"}


def test_what_is_no_worse_than_it_may_be_does_not_make_a_death_worse() -> None:
    found = list(observed("corruption", Honest(Fragile, (Container.RAW,))))

    literals = next(one for one in found if one.case == "raw: a bit of the literals flipped")
    assert ("wrong bytes" in literals.observed, literals.severity) == (True, "crash")


def test_corruption_expects_no_miracles_of_a_container_without_a_checksum() -> None:
    assert complaints("corruption", HonestSession, Container.RAW) == []


class Hoarder(HonestSession):
    """Keeps one of each at every call."""

    kept: ClassVar[list[bytearray]] = []

    def compress(self, source: Region, room: Region) -> Answer:
        self.kept.append(bytearray(b"x" * 200_000))
        os.open("/dev/null", os.O_RDONLY)
        ctypes.CDLL(None).pthread_key_create(ctypes.byref(ctypes.c_uint()), None)
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return super().compress(source, room)


@pytest.mark.parametrize("holding", ["KiB of memory", "threads", "pthread keys", "file descriptors"])
def test_endurance_finds_whatever_is_not_given_back(holding: str) -> None:
    found = [line for line in complaints("endurance", Hoarder) if holding in line]

    assert "leak" in severities("endurance", Hoarder)

    assert found[0].startswith("400 times: a page there and back: expected nothing more, observed ")


def test_threads_finds_a_library_for_one_thread_only() -> None:
    first: list[int] = []

    class Shy(HonestSession):
        def compress(self, source: Region, room: Region) -> Answer:
            first.append(threading.get_ident())
            return super().compress(source, room) if first[0] == threading.get_ident() else SHORT

    (complaint,) = complaints("threads", Shy)
    assert severities("threads", Shy) == {"contract"}

    assert complaint.startswith("gzip: 150 round trips in each thread: expected identical, observed 150 x refused")
