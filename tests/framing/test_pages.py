"""Pages move between guest memory and buffers in order, none lost, none touched that was not asked for."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.framing.pages import Indices, Pages, gather, runs, scatter, total, views, zero_mask
from multifd.wire.packet import PAGE_SIZES

COUNT: Final = 12
SIZE: Final = 4096

SELECTIONS: Final = st.one_of(
    st.lists(st.integers(0, COUNT - 1), unique=True, min_size=1),
    st.lists(st.integers(0, COUNT - 1), unique=True, min_size=1).map(sorted),
    st.just(list(range(COUNT))),
)
"""Page indices of a packet: any order, ascending with gaps, all; a packet without pages has no payload."""


def indices(*numbers: int) -> Indices:
    return np.array(numbers, np.uint64)


def memory() -> Pages:
    """Pages that differ from each other and are not zero."""
    return np.random.default_rng(1).integers(1, 256, (COUNT, SIZE), np.uint8)


class Source:
    """Reads from an array."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def read(self, first: int, rows: Pages) -> None:
        rows[:] = self._pages[first : first + len(rows)]


def gathered(pages: Pages, *numbers: int) -> Pages:
    return gather(Source(pages), indices(*numbers), np.empty((COUNT, SIZE), np.uint8))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((), []),
        ((7,), [(7, 1)]),
        ((3, 4, 5), [(3, 3)]),
        ((0, 2, 4), [(0, 1), (2, 1), (4, 1)]),
        ((1, 2, 9, 10, 11), [(1, 2), (9, 3)]),
        ((5, 4, 3), [(5, 1), (4, 1), (3, 1)]),
        ((4, 5, 0, 1), [(4, 2), (0, 2)]),
        ((6, 6), [(6, 1), (6, 1)]),
    ],
)
def test_runs_are_consecutive_ascending_indices(numbers: tuple[int, ...], expected: list[object]) -> None:
    assert runs(indices(*numbers)) == expected


@given(SELECTIONS)
def test_runs_name_the_same_pages_in_the_same_order(numbers: list[int]) -> None:
    assert [page for first, count in runs(indices(*numbers)) for page in range(first, first + count)] == numbers


@given(SELECTIONS)
def test_gather_and_views_give_the_pages_in_order(numbers: list[int]) -> None:
    pages = memory()
    expected = pages[numbers].tobytes()

    assert gathered(pages, *numbers).tobytes() == expected
    assert b"".join(views(pages, indices(*numbers))) == expected


def test_views_are_the_memory_itself() -> None:
    pages = memory()
    parts = views(pages, indices(2, 3, 7))

    pages[3] = 0

    assert [len(part) for part in parts] == [2 * SIZE, SIZE]
    assert bytes(parts[0][SIZE:]) == bytes(SIZE)


def test_gather_is_a_copy_that_a_writing_guest_does_not_change() -> None:
    pages = memory()
    before = pages[3].tobytes()
    copied = gathered(pages, 3)

    pages[3] = 0

    assert copied.tobytes() == before


@given(SELECTIONS)
def test_scatter_undoes_gather_and_touches_no_other_page(numbers: list[int]) -> None:
    source, target = memory(), np.zeros((COUNT, SIZE), np.uint8)

    scatter(gathered(source, *numbers), target, indices(*numbers))

    others = sorted({*range(COUNT)} - {*numbers})
    assert np.array_equal(target[numbers], source[numbers])
    assert not target[others].any()


@pytest.mark.parametrize("page_size", PAGE_SIZES)
@given(data=st.data())
def test_a_page_with_one_byte_anywhere_is_not_zero(page_size: int, data: st.DataObject) -> None:
    pages = np.zeros((3, page_size), np.uint8)
    pages[1, data.draw(st.integers(0, page_size - 1))] = data.draw(st.integers(1, 255))

    assert zero_mask(pages, indices(0, 1, 2)).tolist() == [True, False, True]


def test_the_mask_is_in_the_order_of_the_indices() -> None:
    pages = memory()
    pages[4] = 0

    assert zero_mask(pages, indices(11, 4, 0)).tolist() == [False, True, False]


def test_no_pages_have_an_empty_mask() -> None:
    assert zero_mask(memory(), indices()).tolist() == []


def test_total_is_the_bytes_of_all_buffers() -> None:
    assert total([b"abc", bytearray(5), memoryview(b"xy")]) == 10
