"""The mutator: it writes while others read, and only where it may."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from pydantic import ValidationError

from multifd.errors import EnvironmentBroke, HarnessError
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout, PageRun
from multifd.memory.mutator import Mutator, mutating

PAGE: Final = 4096
RUNS = (PageRun(block="m", first=2, count=3), PageRun(block="m", first=7, count=1))
"""Of ten pages."""


@pytest.fixture
def layout(tmp_path: Path) -> MemoryLayout:
    with GuestMemory.create(tmp_path, {"m": 10 * PAGE}, PAGE) as memory:
        memory.write("m", 0, b"\x55" * 10 * PAGE)
        return memory.layout


def run(mutator: Mutator, writes: int) -> None:
    """Let it rewrite so many pages."""
    with mutator:
        while mutator.writes < writes:
            time.sleep(0.001)


def test_it_writes_while_others_look(layout: MemoryLayout) -> None:
    seen: set[bytes] = set()

    with GuestMemory.open(layout, writable=False) as memory, Mutator(layout, RUNS, seed=1):
        while len(seen) < 3:
            seen.add(bytes(memory.pages("m")[2]))


def test_it_counts_its_writes_and_stops(layout: MemoryLayout) -> None:
    mutator = Mutator(layout, RUNS, seed=1)
    run(mutator, writes=100)
    with GuestMemory.open(layout, writable=False) as memory:
        digest, writes = memory.digest(), mutator.writes
        time.sleep(0.01)

        assert (memory.digest(), mutator.writes) == (digest, writes)


def test_it_writes_in_all_of_its_pages_and_no_other(layout: MemoryLayout) -> None:
    run(Mutator(layout, RUNS, seed=1), writes=1000)

    with GuestMemory.open(layout, writable=False) as memory:
        touched = (memory.pages("m") != 0x55).any(axis=1)
    assert np.flatnonzero(touched).tolist() == [2, 3, 4, 7]


def test_it_writes_content_and_zeros(layout: MemoryLayout) -> None:
    seen: set[bool] = set()

    with GuestMemory.open(layout, writable=False) as memory, Mutator(layout, RUNS, seed=1):
        while len(seen) < 2:
            seen.add(bool(memory.zero_pages("m")[3]))


def test_it_needs_a_page(layout: MemoryLayout) -> None:
    with pytest.raises(HarnessError) as error:
        Mutator(layout, (), seed=1)

    assert str(error.value) == "pages: none to rewrite, expected at least one"


def test_it_stays_inside_its_image(layout: MemoryLayout) -> None:
    with pytest.raises(ValidationError, match="block 'm' has 10 pages, expected at least 11"):
        Mutator(layout, [PageRun(block="m", first=10, count=1)], seed=1)


def test_no_space_for_its_pages_is_told_before_it_starts(layout: MemoryLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(EnvironmentBroke) as error, Mutator(layout, RUNS, seed=1):
        pass

    assert str(error.value) == f"{layout.blocks[0].path}: No space left on device"


def test_an_error_of_its_thread_is_told_at_the_end(layout: MemoryLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Mutator, memory: GuestMemory) -> None:
        raise HarnessError("broken")

    monkeypatch.setattr(Mutator, "_rewrite", broken)

    with pytest.raises(HarnessError) as error, Mutator(layout, RUNS, seed=1):
        pass

    assert str(error.value) == "broken"


def test_mutating_sends_all_and_then_the_rewritable_pages_again(tmp_path: Path) -> None:
    script, pages = mutating(tmp_path, CORPORA["mixed"], 1, {"m": 40 * PAGE}, PAGE)

    assert [each.pages for each in script.rounds] == [(PageRun(block="m", first=0, count=40),), pages]
    assert sum(run.count for run in pages) == 10


def test_mutating_gives_the_rewritable_pages_other_content_or_none(tmp_path: Path) -> None:
    script, pages = mutating(tmp_path, CORPORA["random"], 1, {"m": 40 * PAGE}, PAGE)

    with (
        GuestMemory.open(script.rounds[0].image, writable=False) as before,
        GuestMemory.open(script.expected, writable=False) as after,
    ):
        changed = (before.pages("m") != after.pages("m")).any(axis=1)
        emptied = after.zero_pages("m")
    assert np.flatnonzero(changed).tolist() == [page for run in pages for page in range(run.first, run.stop)]
    assert np.count_nonzero(emptied) == 3


def test_mutating_ends_as_expected_whatever_was_rewritten(tmp_path: Path) -> None:
    script, pages = mutating(tmp_path, CORPORA["mixed"], 1, {"m": 40 * PAGE}, PAGE)

    run(Mutator(script.rounds[0].image, pages, seed=1), writes=100)

    with (
        GuestMemory.open(script.rounds[0].image, writable=True) as memory,
        GuestMemory.open(script.expected, writable=False) as expected,
    ):
        for each in pages:
            memory.pages("m")[each.first : each.stop] = expected.pages("m")[each.first : each.stop]
        assert memory.differences(expected) == []
