"""What a migration left behind: identical, something old, or something that was never sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multifd.evidence.observe import Memory, changed, compare, snapshot
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Script
from multifd.oracle.verdict import Stretch

SIZES = {"pc.ram": 64 * 4096, "vga.vram": 16 * 4096}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    """Three rounds with different contents."""
    return rounds.build(tmp_path_factory.mktemp("script"), CORPORA["random"], 1, SIZES, 4096, "dirty")


@pytest.fixture
def destination(script: Script, tmp_path: Path) -> Iterator[GuestMemory]:
    """Memory that has arrived."""
    with GuestMemory.create(tmp_path, SIZES, 4096) as memory:
        _copy(script, -1, memory)
        yield memory


def _copy(script: Script, number: int, memory: GuestMemory) -> None:
    with GuestMemory.open(script.rounds[number].image, writable=False) as image:
        for block in SIZES:
            memory.pages(block)[:] = image.pages(block)


def _content(script: Script, block: str) -> list[int]:
    """Pages of the last image that are not zero."""
    with GuestMemory.open(script.expected, writable=False) as image:
        return [int(page) for page in np.flatnonzero(image.pages(block).any(axis=1))]


def test_memory_that_arrived_is_identical(script: Script, destination: GuestMemory) -> None:
    assert compare(destination, script) == Memory(identical=True, wrong=0, missing=0, where="")


@pytest.mark.parametrize("bit", [0, 7])
@pytest.mark.parametrize("place", [0, 2048, 4095])
def test_one_bit_makes_a_page_wrong(place: int, bit: int, script: Script, destination: GuestMemory) -> None:
    page = _content(script, "vga.vram")[0]
    destination.pages("vga.vram")[page, place] ^= 1 << bit

    assert compare(destination, script) == Memory(
        identical=False, wrong=1, missing=0, where=f"first at page {page} of vga.vram",
        stretches=(Stretch("vga.vram", page, 1, "never sent"),),
    )  # fmt: skip


def test_a_page_that_is_zero_is_missing(script: Script, destination: GuestMemory) -> None:
    page = _content(script, "pc.ram")[0]
    destination.pages("pc.ram")[page] = 0

    assert compare(destination, script) == Memory(
        identical=False, wrong=0, missing=1, where=f"first at page {page} of pc.ram",
        stretches=(Stretch("pc.ram", page, 1, "older"),),
    )  # fmt: skip


@pytest.mark.parametrize("number", [0, 1])
def test_a_page_of_an_earlier_round_is_missing(number: int, script: Script, destination: GuestMemory) -> None:
    assert len(script.rounds) == 3
    _copy(script, number, destination)

    left = compare(destination, script)

    assert (left.identical, left.wrong) == (False, 0)
    assert left.missing > 0


def test_a_page_that_is_nearly_one_of_an_earlier_round_is_wrong(script: Script, destination: GuestMemory) -> None:
    with GuestMemory.open(script.rounds[0].image, writable=False) as earlier:
        before = earlier.pages("pc.ram")
        page = next(
            page for page in _content(script, "pc.ram") if (before[page] != destination.pages("pc.ram")[page]).any()
        )
        destination.pages("pc.ram")[page] = before[page]
        place = int(np.flatnonzero((before[page] > 0) & (before[page] < 128))[0])
    destination.pages("pc.ram")[page, place] *= 2

    assert (compare(destination, script).wrong, compare(destination, script).missing) == (1, 0)


def test_every_wrong_page_is_counted_however_they_are_strewn(script: Script, destination: GuestMemory) -> None:
    destination.pages("pc.ram")[::2, 7] ^= 0x10

    assert compare(destination, script) == Memory(
        identical=False, wrong=32, missing=0, where="first at page 0 of pc.ram",
        stretches=tuple(Stretch("pc.ram", page, 1, "never sent") for page in range(0, 64, 2)),
    )  # fmt: skip


def test_a_page_with_the_content_of_its_neighbour_is_wrong(script: Script, destination: GuestMemory) -> None:
    one, other = _content(script, "pc.ram")[:2]
    pages = destination.pages("pc.ram")
    pages[[one, other]] = pages[[other, one]]

    assert compare(destination, script).wrong == 2


def test_a_memory_in_words() -> None:
    left = Memory(identical=False, wrong=2, missing=3, where="first at page 7 of pc.ram")

    assert left.describe() == "2 pages hold what was never sent, 3 hold something old, first at page 7 of pc.ram"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.tuples(st.sampled_from(sorted(SIZES)), st.integers(0, 15)), max_size=8))
def test_pages_that_change_after_a_snapshot_are_counted(
    destination: GuestMemory, written: set[tuple[str, int]]
) -> None:
    before = snapshot(destination)

    for block, page in written:
        destination.pages(block)[page, page : page + 2] ^= 0x01

    assert changed(destination, before) == len(written)
