"""Names and sizes: what a guest's memory consists of and what a sender does with it, as plain data.

A guest's memory is a set of RAM blocks (QEMU's ``RAMBlock``), each a run of equal pages; here the content
of each block is a file. A live migration is a sequence of dirty rounds; a round is the memory as it is at
that time and the pages that are sent of it. These models travel to peer processes as JSON, the content never
does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

PageSize = Literal[4096, 16384, 65536]
"""Bytes; the page sizes of the guests that QEMU migrates (x86-64, arm64 with 4, 16 and 64 KiB)."""

BlockName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x01-\x7f]+\z")]
"""1 to 255 ASCII bytes: the packet's ``ramblock[256]`` ends with a zero byte (migration/multifd.h, QEMU 10.2)."""

MOST_BLOCKS: Final = 256
"""RAM blocks of one guest: each takes two descriptors, and a process commonly has 1024 (getrlimit(2))."""
MOST_BYTES: Final = 1 << 52
"""Of one RAM block: as much as an x86-64 processor can address (Intel SDM, volume 3A, section 4.1.4)."""
BlockSize = Annotated[int, Field(gt=0, le=MOST_BYTES)]
"""Bytes of a RAM block."""

PACKET_BYTES: Final = 512 << 10
"""Bytes of pages in a full packet (``MULTIFD_PACKET_SIZE``, migration/multifd.h, QEMU 10.2)."""

Mask = NDArray[np.bool_]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RamBlock(_Model):
    """A RAM block whose content is the file ``path`` of exactly ``size`` bytes."""

    name: BlockName
    size: BlockSize
    path: str


class MemoryLayout(_Model):
    """An image of the whole guest memory: blocks of whole pages of ``page_size`` bytes, names are unique."""

    page_size: PageSize
    blocks: Annotated[tuple[RamBlock, ...], Field(min_length=1, max_length=MOST_BLOCKS)]

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each block, in the order of the blocks."""
        return {block.name: block.size for block in self.blocks}

    @property
    def page_counts(self) -> dict[str, int]:
        """Pages of each block, in the order of the blocks."""
        return {block.name: block.size // self.page_size for block in self.blocks}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.sizes) != len(self.blocks):
            names = [block.name for block in self.blocks]
            raise ValueError(f"blocks: names are {names}, expected each once")
        for block in self.blocks:
            if block.size % self.page_size:
                raise ValueError(f"block {block.name!r}: size is {block.size}, expected a multiple of {self.page_size}")
        return self


class PageRun(_Model):
    """``count`` consecutive pages of a block, from the page with index ``first`` on."""

    block: str
    first: Annotated[int, Field(ge=0)]
    count: Annotated[int, Field(gt=0)]

    @property
    def stop(self) -> int:
        """Index of the first page after the run."""
        return self.first + self.count


class Round(_Model):
    """What a sender sends in one dirty round: these pages, in this order, with their content in ``image``."""

    image: MemoryLayout
    pages: tuple[PageRun, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        counts = self.image.page_counts
        for run in self.pages:
            if run.block not in counts:
                raise ValueError(f"pages: block is {run.block!r}, expected one of {list(counts)}")
            if run.stop > counts[run.block]:
                raise ValueError(
                    f"pages: block {run.block!r} has {counts[run.block]} pages,"
                    f" expected at least {run.stop} for the run from page {run.first}"
                )
        return self


class Script(_Model):
    """A whole migration; the image of the last round is what the destination must equal afterwards."""

    page_size: PageSize
    rounds: Annotated[tuple[Round, ...], Field(min_length=1)]
    fill: tuple[Annotated[int, Field(gt=0)], ...] = ()
    """Pages of the packets, in turns; nothing for as many as a packet has room for. The end of a round or of a RAM
    block ends a packet before."""

    @property
    def expected(self) -> MemoryLayout:
        """The image that the destination must equal."""
        return self.rounds[-1].image

    @model_validator(mode="after")
    def _check(self) -> Self:
        if max(self.fill, default=0) * self.page_size > PACKET_BYTES:
            raise ValueError(f"fill: {max(self.fill)} pages, expected at most {PACKET_BYTES // self.page_size}")
        sizes = self.expected.sizes
        for number, each in enumerate(self.rounds):
            if each.image.page_size != self.page_size:
                raise ValueError(f"round {number}: page size is {each.image.page_size}, expected {self.page_size}")
            if each.image.sizes != sizes:
                raise ValueError(f"round {number}: blocks are {each.image.sizes}, expected {sizes}")
        return self


def runs(mask: Mask) -> Iterator[tuple[int, int]]:
    """Yield ``(first, count)`` of every stretch of true values, in order."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        yield first, stop - first
