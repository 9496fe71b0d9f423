"""The library, or the reason and the remedy why there is none; data of every kind that matters."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from qatzip import LayoutError, LibraryNotFoundError, Session, formats, load, release
from qatzip.parameters import FORMATS, Format, Parameters

REMEDY = (
    "remedy: install libqatzip 2.0, or run the tests under the loader that came with it:"
    " ROOT/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path ROOT/usr/lib/x86_64-linux-gnu PYTHON -m pytest"
)

TEXT = b"".join(b"line %d of some text; " % (number * number) for number in range(9000))
NOISE = random.Random(1).randbytes(200_000)
PAGE = TEXT[:4096]


@pytest.fixture(scope="session")
def library() -> None:
    try:
        load()
    except (LibraryNotFoundError, LayoutError) as missing:
        pytest.skip(f"{missing}; {REMEDY}")


@pytest.fixture
def software(library: None) -> None:
    """What is tested about the software path is no statement about devices."""
    with Session() as session:
        if session.hardware:
            pytest.skip("a QAT device is there; remedy: run on a host without one, or stop its service")


@pytest.fixture(params=FORMATS)
def format(request: pytest.FixtureRequest, library: None) -> Format:
    chosen: Format = request.param
    if chosen not in formats():
        pytest.skip(f"libqatzip {release()} has no format {chosen}; remedy: libqatzip 1.3.0 or newer")
    return chosen


@pytest.fixture
def session(library: None, format: Format) -> Iterator[Session]:
    with Session(Parameters(format=format)) as open_session:
        yield open_session
