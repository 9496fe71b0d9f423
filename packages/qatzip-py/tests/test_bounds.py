"""Nothing is touched outside source and destination: unreadable pages stand directly behind both."""

from __future__ import annotations

import pytest
from conftest import NOISE, PAGE
from guard import Guarded, survives

from qatzip import QatzipError, Session, compress
from qatzip.parameters import Format, Parameters

pytestmark = pytest.mark.usefixtures("library")

CONTENTS = [pytest.param(b"a", id="one byte"), pytest.param(PAGE, id="page"), pytest.param(NOISE[:70_000], id="noise")]


def around(needed: int) -> list[int]:
    """Very short, and every size around the needed one."""
    return sorted({size for size in (*range(40), *range(needed - 12, needed + 12)) if size >= 0})


@pytest.mark.parametrize("content", CONTENTS)
def test_compression_stays_inside(format: Format, content: bytes) -> None:
    needed = len(compress(content, format=format))

    def every_size() -> None:
        for size in around(needed):
            source, destination = Guarded(content), Guarded(size)
            with Session(Parameters(format=format)) as session:
                try:
                    session.compress_into(source.view, destination.view)
                except QatzipError as error:
                    assert size < needed + (format == "raw"), (size, error)
                else:
                    assert size >= needed, size

    assert survives(every_size)


@pytest.mark.parametrize("content", CONTENTS)
def test_decompression_stays_inside(format: Format, content: bytes) -> None:
    compressed = compress(content, format=format)

    def every_size() -> None:
        for size in around(len(content)):
            source, destination = Guarded(compressed), Guarded(size)
            with Session(Parameters(format=format)) as session:
                produced = session.decompress_into(source.view, destination.view)[1]
            assert produced == min(size, len(content)), size
            assert destination.view[:produced] == content[:produced]

    assert survives(every_size)


def test_truncated_input_is_not_read_beyond(format: Format) -> None:
    compressed = compress(PAGE, format=format)

    def every_length() -> None:
        for length in {*range(60), *range(len(compressed) - 30, len(compressed))}:
            source, destination = Guarded(compressed[:length]), Guarded(len(PAGE))
            with Session(Parameters(format=format)) as session:
                try:
                    session.decompress_into(source.view, destination.view)
                except QatzipError as error:
                    assert format == "4B", (length, error)

    assert survives(every_length)


@pytest.mark.parametrize("tail", [b"\0", b"\x1f\x8b\x08\x04"], ids=["zeros", "header"])
def test_what_follows_the_last_member_is_not_read_beyond(format: Format, tail: bytes) -> None:
    compressed = compress(PAGE, format=format)

    def every_length() -> None:
        for extra in range(40):
            source, destination = Guarded(compressed + (tail * 40)[:extra]), Guarded(len(PAGE) + 100)
            with Session(Parameters(format=format)) as session:
                try:
                    session.decompress_into(source.view, destination.view)
                except QatzipError as error:
                    assert error.name in {"QZ_DATA_ERROR", "QZ_FAIL"}, (extra, error)

    assert survives(every_length)


def test_corrupt_input_is_not_read_or_written_beyond(format: Format) -> None:
    compressed = compress(PAGE, format=format)

    def every_byte() -> None:
        for position in range(0, len(compressed), 3):
            changed = bytearray(compressed)
            changed[position] ^= 0x40
            source, destination = Guarded(bytes(changed)), Guarded(len(PAGE))
            with Session(Parameters(format=format)) as session:
                try:
                    session.decompress_into(source.view, destination.view)
                except QatzipError as error:
                    assert error.name in {"QZ_DATA_ERROR", "QZ_FAIL"}, (position, error)

    assert survives(every_byte)
