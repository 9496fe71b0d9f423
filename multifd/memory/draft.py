"""A guest's memory while its history is made up, before any of it is an image in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from multifd.memory.corpus import Corpus
from multifd.memory.dice import Dice
from multifd.memory.image import GuestMemory, zero_rows
from multifd.memory.layout import PACKET_BYTES, Mask, MemoryLayout, PageRun, PageSize, runs

Scalar = TypeVar("Scalar", bound=np.generic)


class Draft:
    """All pages of all blocks in one array; a mask has one value for each of them.

    ``sizes`` are the bytes of each RAM block, multiples of ``page_size`` bytes, as is ``hole``: so much in the middle
    of the first block is never sent, and stays zero.
    """

    def __init__(self, corpus: Corpus, seed: int, sizes: Mapping[str, int], page_size: PageSize, hole: int = 0) -> None:
        self.sizes = sizes
        self.page_size = page_size
        self.pages: NDArray[np.uint8] = np.zeros((sum(sizes.values()) // page_size, page_size), np.uint8)
        self._corpus = corpus
        self._dice = Dice(seed)
        self._sent = np.ones(len(self.pages), np.bool_)
        first = (next(iter(sizes.values())) - hole) // page_size // 2
        self._sent[first : first + hole // page_size] = False

    @property
    def everything(self) -> Mask:
        """All pages that are ever sent."""
        return self._sent.copy()

    @property
    def nothing(self) -> Mask:
        """No page."""
        return np.zeros(len(self.pages), np.bool_)

    @property
    def packet_pages(self) -> int:
        """Pages in a full packet."""
        return PACKET_BYTES // self.page_size

    def draw(self, count: int, among: Mask) -> Mask:
        """Choose ``count`` pages at random."""
        chosen = self.nothing
        candidates = np.flatnonzero(among)
        chosen[candidates[self._dice.order(len(candidates))[:count]]] = True
        return chosen

    def scatter(self) -> Mask:
        """Choose runs of one to three pages with gaps, in each block fewer than fill a packet."""
        chosen = self.nothing
        for _, part in self._parts(chosen):
            lengths = self._dice.integers(1, 4, len(part))
            pattern = np.resize([True, False], len(part)).repeat(lengths)[: len(part)]
            pattern &= pattern.cumsum() < self.packet_pages
            part[:] = np.roll(pattern, self._dice.integer(0, len(part)))
        return chosen & self._sent

    def pour(self, mask: Mask) -> None:
        """Fill pages with what the corpus has, zero pages included."""
        self.pages[mask] = self._fresh(mask)

    def rewrite(self, mask: Mask) -> None:
        """Give pages content from the corpus that is neither zero nor what they hold.

        Where the corpus does not, the page's first byte makes the difference.
        """
        old, new = self.pages[mask], self._fresh(mask).copy()
        unfit = zero_rows(new) | zero_rows(new ^ old)
        new[unfit, 0] = old[unfit, 0] % 255 + 1
        self.pages[mask] = new

    def clear(self, mask: Mask) -> None:
        """Make pages zero."""
        self.pages[mask] = 0

    def page_runs(self, mask: Mask) -> tuple[PageRun, ...]:
        """Say by block and index which pages a mask means."""
        return tuple(
            PageRun(block=block, first=first, count=count)
            for block, part in self._parts(mask)
            for first, count in runs(part)
        )

    def save(self, directory: Path) -> MemoryLayout:
        """Write the memory as it is now to an image of its own; its zero pages stay holes.

        Raises EnvironmentBroke when that is not possible.
        """
        with GuestMemory.create(directory, self.sizes, self.page_size) as memory:
            starts = dict(self._parts(np.arange(len(self.pages))))
            for run in self.page_runs(~zero_rows(self.pages)):
                first = starts[run.block][0] + run.first
                memory.write(run.block, run.first * self.page_size, self.pages[first : first + run.count].data)
            return memory.layout

    def _fresh(self, mask: Mask) -> NDArray[np.uint8]:
        content = self._corpus.generate(int(mask.sum()) * self.page_size, self._dice)
        return np.frombuffer(content, np.uint8).reshape(-1, self.page_size)

    def _parts(self, values: NDArray[Scalar]) -> Iterator[tuple[str, NDArray[Scalar]]]:
        """Cut an array of one value for each page into views, one for each block."""
        borders = np.cumsum([size // self.page_size for size in self.sizes.values()])[:-1]
        yield from zip(self.sizes, np.split(values, borders), strict=True)
