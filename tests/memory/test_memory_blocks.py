"""How a guest's memory is divided, and how many pages its sender puts into a packet."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.errors import InputError
from multifd.memory.blocks import BLOCKS, GUESTS, MACHINE_RAM, SWEEPS, UNIT, Blocks, division, packet_pages
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageSize
from multifd.memory.rounds import build

SIZE = 2 * UNIT
EVERY = pytest.mark.parametrize("blocks", BLOCKS.values(), ids=list(BLOCKS))


@EVERY
def test_blocks_have_the_memory_between_them_and_a_hole_comes_on_top(blocks: Blocks) -> None:
    assert sum(blocks.sizes(SIZE).values()) == SIZE + blocks.hole


@EVERY
def test_blocks_are_whole_pages_of_any_size(blocks: Blocks) -> None:
    assert all(size % 65536 == 0 for size in blocks.sizes(SIZE).values())


def test_there_are_one_block_several_and_a_hole() -> None:
    counts = {name: len(blocks.sizes(SIZE)) for name, blocks in BLOCKS.items()}

    assert counts["one"] == 1
    assert counts["several"] > 3
    assert [name for name, blocks in BLOCKS.items() if blocks.hole] == ["hole"]


def test_a_real_guest_has_ram_that_a_machine_takes_and_dimms_of_whole_pages() -> None:
    for blocks in GUESTS.values():
        ram, *dimms = blocks.sizes(4 << 20).items()

        assert ram[0] == MACHINE_RAM
        assert ram[1] % 8192 == 0 and ram[1] > 1 << 20
        assert all(size % 4096 == 0 for _, size in dimms)


def test_some_block_of_a_real_guest_ends_within_a_packet() -> None:
    assert all(any(size % UNIT for size in blocks.sizes(4 << 20).values()) for blocks in GUESTS.values())


def test_a_division_is_known_by_its_name_whosever_it_is() -> None:
    assert [division(name).name for name in (*BLOCKS, *GUESTS)] == [*BLOCKS, *GUESTS]


@pytest.mark.parametrize("page_size", [4096, 65536])
@pytest.mark.parametrize("shape", ["single", "dirty", "zero-only", "partial", "empty", "stale"])
def test_a_hole_is_never_sent_and_stays_zero(shape: str, page_size: PageSize, tmp_path: Path) -> None:
    blocks = BLOCKS["hole"]
    first = SIZE // 2

    script = build(tmp_path, CORPORA["random"], 1, blocks.sizes(SIZE), page_size, shape, hole=blocks.hole)

    hole = range(first // page_size, (first + blocks.hole) // page_size)
    for each in script.rounds:
        assert not any(page in hole for run in each.pages for page in range(run.first, run.stop))
    with GuestMemory.open(script.expected, writable=False) as memory:
        pages = memory.pages("pc.ram")
        assert not pages[hole.start : hole.stop].any()
        assert pages[: hole.start].any() and pages[hole.stop :].any()


def test_sweeps_have_packets_of_every_number_of_pages() -> None:
    fills = [set(packet_pages(f"sweep-{number}", 128)) for number in range(1, SWEEPS + 1)]

    assert sorted(page for fill in fills for page in fill) == list(range(1, 129))


@pytest.mark.parametrize("slots", [8, 32, 128])
@pytest.mark.parametrize("fill", ["full", "single", "few", *(f"sweep-{number}" for number in range(1, SWEEPS + 1))])
def test_no_packet_has_more_pages_than_room(fill: str, slots: int) -> None:
    pages = packet_pages(fill, slots)

    assert all(1 <= each <= slots for each in pages)
    assert pages or fill == "full"


@pytest.mark.parametrize(
    "fill", ["", "half", "sweep", "sweep-0", f"sweep-{SWEEPS + 1}", "sweep-x", "sweep--1", "sweep-²"]
)
def test_another_word_is_refused(fill: str) -> None:
    with pytest.raises(InputError) as error:
        packet_pages(fill, 128)

    assert str(error.value) == f"fill {fill!r}: expected full, single, few or sweep-1 to sweep-{SWEEPS}"
