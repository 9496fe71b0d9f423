"""A guest that keeps running: pages change while they are being sent.

A sender reads a page more than once (is it zero? what are its bytes? compress it), and a guest that writes in
between must not make it send something that the receiver cannot decode: QEMU's zlib method copies each page
for that reason (migration/multifd-zlib.c, QEMU 10.2). What arrives of such a page is anything; it is dirty, so it is
sent again, and only then it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Final, Self

import numpy as np

from multifd.errors import HarnessError
from multifd.memory.corpus import Corpus
from multifd.memory.draft import Draft
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Mask, MemoryLayout, PageRun, PageSize, Round, Script
from multifd.memory.rounds import play

BURST: Final = 16
"""Pages rewritten between two rests."""

REST: Final = 1e-4
"""Seconds between bursts: a sender in the same process needs the interpreter, too."""


STOCK: Final = 64
"""Different pages that are written; the first quarter of them is zero."""


class Mutator:
    """Rewrites pages of an image with random content and zeros, from entering the context to leaving it.

    The pages get real storage first, so that no store can hit a full file system. Making one raises
    pydantic's ValidationError for pages that the layout does not have and HarnessError for none at all;
    entering raises InputError when a file of the image is not there, EnvironmentBroke when there is no space.
    """

    def __init__(self, layout: MemoryLayout, pages: Iterable[PageRun], seed: int) -> None:
        self.writes = 0
        """Pages rewritten so far."""
        self._target = Round(image=layout, pages=tuple(pages))
        if not self._target.pages:
            raise HarnessError("pages: none to rewrite, expected at least one")
        self._rng = np.random.default_rng(seed)
        self._stop = Event()
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            memory = stack.enter_context(GuestMemory.open(self._target.image, writable=True))
            size = memory.layout.page_size
            for run in self._target.pages:
                memory.reserve(run.block, run.first * size, run.count * size)
            thread = stack.enter_context(ThreadPoolExecutor(1, "mutator"))
            # A thread's error must not vanish with it: leaving the context asks for the result.
            stack.callback(thread.submit(self._rewrite, memory).result)
            stack.callback(self._stop.set)
            self._resources = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    def _rewrite(self, memory: GuestMemory) -> None:
        pages = [page for run in self._target.pages for page in memory.pages(run.block)[run.first : run.stop]]
        stock = self._rng.integers(0, 256, (STOCK, memory.layout.page_size), dtype=np.uint8)
        stock[: STOCK // 4] = 0
        while not self._stop.wait(REST):
            for page, content in self._rng.integers((len(pages), STOCK), size=(BURST, 2)).tolist():
                pages[page][:] = stock[content]
                self.writes += 1


def mutating(
    directory: Path, corpus: Corpus, seed: int, sizes: Mapping[str, int], page_size: PageSize
) -> tuple[Script, tuple[PageRun, ...]]:
    """Make a script of two rounds, and say which pages of the first image a Mutator may rewrite meanwhile.

    Round 1 sends all pages; round 2 sends exactly the rewritable ones again, from the final image. Arguments
    and errors are those of ``multifd.memory.rounds.build``.
    """
    script = play(directory, Draft(corpus, seed, sizes, page_size), _history)
    return script, script.rounds[1].pages


def _history(draft: Draft) -> Iterator[Mask]:
    draft.pour(draft.everything)
    yield draft.everything
    dirty = draft.draw(len(draft.pages) // 4, draft.everything)
    draft.rewrite(dirty)
    draft.clear(draft.draw(int(dirty.sum()) // 3, dirty))
    yield dirty
