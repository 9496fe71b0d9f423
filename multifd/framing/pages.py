"""Moving pages between guest memory and the buffers that codecs take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Pages = npt.NDArray[np.uint8]
"""A RAM block as rows of one page each, over the guest's own memory."""
Indices = npt.NDArray[np.uint64]


class PageSource(Protocol):
    """Where pages are copied from, by page index."""

    def read(self, first: int, rows: Pages, /) -> None:
        """Fill the rows with the pages from ``first`` on."""
        ...


class PageStore(Protocol):
    """Where decoded pages go, by page index: :data:`Pages`, or what writes to the same pages another way."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Pages, and bytes of each."""
        ...

    def __setitem__(self, place: int | slice, content: npt.NDArray[np.uint8], /) -> None:
        """Store one page, or a run of them as rows."""
        ...


def runs(indices: Indices) -> list[tuple[int, int]]:
    """Consecutive ascending page indices as (first, count)."""
    if not len(indices):
        return []
    # Not np.diff and np.flatnonzero: on a packet's few indices their own overhead is most of the time.
    breaks = ((indices[1:] - indices[:-1]) != 1).nonzero()[0] + 1
    starts = [0, *breaks.tolist()]
    ends = [*breaks.tolist(), len(indices)]
    return [(int(indices[start]), end - start) for start, end in zip(starts, ends, strict=True)]


def views(pages: Pages, indices: Indices) -> list[memoryview]:
    """The pages themselves, in order, as few buffers as their runs allow; nothing is copied."""
    return [pages[first : first + count].data.cast("B") for first, count in runs(indices)]


def gather(source: PageSource, indices: Indices, scratch: Pages) -> Pages:
    """Copy pages into ``scratch``, in order; returns the filled rows.

    A copy is needed: the guest may write while a codec reads, and DEFLATE encoders read their input more than
    once, so that a page that changes would damage others that match it (QEMU 007e179ef0, "multifd: Copy pages
    before compressing them with zlib"). It also makes the pages of a packet one buffer.
    """
    at = 0
    for first, count in runs(indices):
        source.read(first, scratch[at : at + count])
        at += count
    return scratch[:at]


def scatter(data: npt.NDArray[np.uint8], pages: PageStore, indices: Indices) -> None:
    """Copy decoded pages to their places; ``data`` holds exactly these pages, in order."""
    rows = data.reshape(len(indices), pages.shape[1])
    at = 0
    for first, count in runs(indices):
        pages[first : first + count] = rows[at : at + count]
        at += count


def zero_mask(pages: Pages, indices: Indices) -> npt.NDArray[np.bool_]:
    """Which of these pages hold only zeros.

    The first word of each page is looked at before the rest: nearly all pages that have content show it there, and
    every further sample would be a cache line more to wait for.
    """
    words = pages.view(np.uint64)
    mask: npt.NDArray[np.bool_] = words[indices, 0] == 0
    for candidate in mask.nonzero()[0].tolist():
        mask[candidate] = not words[indices[candidate]].any()
    return mask


def total(buffers: Sequence[memoryview | bytes | bytearray]) -> int:
    """Bytes in all buffers."""
    return sum(len(buffer) for buffer in buffers)
