"""Drafts: choosing pages, and giving them content that can be told from what was there."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.memory.corpus import CORPORA, Corpus
from multifd.memory.draft import Draft
from multifd.memory.layout import PageRun, PageSize

PAGE: Final = 4096


def draft(corpus: Corpus = CORPORA["random"], seed: int = 1) -> Draft:
    return Draft(corpus, seed, {"a": 10 * PAGE, "b": 6 * PAGE}, PAGE)


@given(seed=st.integers(0, 2**32), among=st.lists(st.booleans(), min_size=16, max_size=16), data=st.data())
def test_drawing_gives_exactly_so_many_of_these_pages(seed: int, among: list[bool], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, sum(among)))

    drawn = draft(seed=seed).draw(count, np.array(among))

    assert np.count_nonzero(drawn) == count
    assert not (drawn & ~np.array(among)).any()


@given(old=st.integers(0, 255), new=st.integers(0, 255))
def test_rewriting_always_gives_other_content(old: int, new: int) -> None:
    memory = draft(Corpus("same", "always the same byte", lambda size, rng: bytes([new]) * size))
    memory.pages[:, 0] = old
    before = memory.pages.copy()

    memory.rewrite(memory.everything)

    assert (memory.pages != before).any(axis=1).all()
    assert memory.pages.any(axis=1).all()


def test_rewriting_leaves_other_pages_alone() -> None:
    memory = draft()
    chosen = memory.draw(5, memory.everything)

    memory.rewrite(chosen)

    assert not memory.pages[~chosen].any()


def test_page_runs_do_not_cross_blocks() -> None:
    memory = draft()
    mask = memory.nothing
    mask[8:12] = True

    assert memory.page_runs(mask) == (
        PageRun(block="a", first=8, count=2),
        PageRun(block="b", first=0, count=2),
    )


@pytest.mark.parametrize(("page_size", "pages"), [(4096, 128), (16384, 32), (65536, 8)])
def test_a_packet_holds_512_kib_of_pages(page_size: PageSize, pages: int) -> None:
    assert Draft(CORPORA["zero"], 0, {"m": page_size}, page_size).packet_pages == pages
