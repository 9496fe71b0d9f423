"""A guest's memory as files that are mapped, not read: views without copies, comparing at memory speed.

Images are sparse, so a zero page that nobody wrote costs nothing. They are filled through ``write`` (pwrite)
and not through the mapping, and read with ``read`` and ``copy``: on a full file system pwrite is an error that can be
told to the user, while a hole of a mapping that is touched, in tmpfs by a load too, is a SIGBUS that kills.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from multifd.errors import HarnessError, InputError
from multifd.memory.host import blaming
from multifd.memory.layout import Mask, MemoryLayout, PageSize, RamBlock, runs
from multifd.memory.sparse import PIECE, extents, first_data, merged

_LOOK: Final = 1 << 20
"""Bytes that are looked at together."""

NAME_MAX: Final = 255
"""Bytes of a file's name on the file systems of Linux (include/uapi/linux/limits.h, Linux 6.18)."""


@dataclass(frozen=True)
class Difference:
    """``count`` consecutive pages that differ, from page ``first`` of ``block`` on."""

    block: str
    first: int
    count: int


class GuestMemory:
    """The RAM blocks of one image, mapped. Not locked: what another process stores is seen at once."""

    def __init__(self, layout: MemoryLayout, *, writable: bool) -> None:
        """Map the files of ``layout``, which exist and have the right sizes: see ``open`` and ``create``."""
        self.layout = layout
        self._blocks = {block.name: block for block in layout.blocks}
        self._files: dict[str, int] = {}
        self._maps: dict[str, mmap.mmap] = {}
        self._resources = ExitStack()
        with ExitStack() as undo:
            undo.callback(self.close)
            for block in layout.blocks:
                self._map(block, writable)
            undo.pop_all()

    @classmethod
    def create(cls, directory: Path, sizes: Mapping[str, int], page_size: PageSize) -> Self:
        """Make a zero image in ``directory``: one sparse file for each block of ``sizes`` (name to bytes).

        Files of an earlier image with the same block names are emptied.

        Raises EnvironmentBroke when the host does not let us (no space, no permission), and pydantic's
        ValidationError for a name or a size that no RAM block can have.
        """
        blocks = tuple(
            RamBlock(name=name, size=size, path=str(directory / _file_name(name))) for name, size in sizes.items()
        )
        layout = MemoryLayout(page_size=page_size, blocks=blocks)
        with blaming(directory):
            directory.mkdir(parents=True, exist_ok=True)
        for block in blocks:
            with blaming(block.path), Path(block.path).open("wb") as file:
                file.truncate(block.size)
        return cls(layout, writable=True)

    @classmethod
    def open(cls, layout: MemoryLayout, *, writable: bool) -> Self:
        """Map the existing files of ``layout``.

        Raises InputError when a file is missing or has the wrong size, EnvironmentBroke when it cannot be
        opened or mapped.
        """
        for block in layout.blocks:
            expected = f"expected {block.size} bytes of RAM block {block.name!r}"
            with blaming(block.path):
                try:
                    size = Path(block.path).stat().st_size
                except FileNotFoundError:
                    raise InputError(f"{block.path}: no such file, {expected}") from None
            if size != block.size:
                raise InputError(f"{block.path}: size is {size}, {expected}")
        return cls(layout, writable=writable)

    def view(self, block: str) -> memoryview:
        """Return the whole block without a copy; it can be written to if the memory was opened writable."""
        return memoryview(self._maps[self._known(block)])

    def pages(self, block: str) -> NDArray[np.uint8]:
        """Return the whole block as pages x page size bytes, without a copy."""
        return np.frombuffer(self.view(block), np.uint8).reshape(-1, self.layout.page_size)

    def copy(self, block: str, first: int = 0, count: int | None = None) -> NDArray[np.uint8]:
        """Copy ``count`` pages from page ``first`` on, or all that follow; raises as ``read``."""
        size = self.layout.page_size
        stop = self._blocks[self._known(block)].size if count is None else (first + count) * size
        return self._piece(block, first * size, stop)

    def data(self, block: str, first: int, count: int) -> Iterator[tuple[int, int]]:
        """Of ``count`` pages from page ``first`` on those that are no holes, as runs: the first, and the one behind.

        Raises EnvironmentBroke when the file cannot be looked at.
        """
        size, file = self.layout.page_size, self._files[self._known(block)]
        at, stop = first * size, (first + count) * size
        with blaming(self._blocks[block].path):
            while (at := first_data(file, at, stop)) < stop:
                page, end = at // size, -(-min(os.lseek(file, at, os.SEEK_HOLE), stop) // size)
                yield page, end
                at = end * size

    def zero_pages(self, block: str) -> Mask:
        """Tell for every page of the block whether all its bytes are zero; raises as ``read``."""
        return zero_rows(self.copy(block))

    def write(self, block: str, offset: int, buffer: bytes | memoryview) -> None:
        """Put ``buffer`` at byte ``offset`` of the block; every view shows it at once.

        Raises EnvironmentBroke when the file system is full, HarnessError for bytes outside the block.
        """
        rest = memoryview(buffer).cast("B")
        self._check_inside(block, offset, len(rest))
        with blaming(self._blocks[block].path):
            while rest:
                written = os.pwrite(self._files[block], rest, offset)
                rest, offset = rest[written:], offset + written

    def read(self, block: str, offset: int, buffer: memoryview) -> None:
        """Fill ``buffer`` from byte ``offset`` of the block on.

        For what is looked at once this is cheaper than a view, whose pages are mapped one by one, and in tmpfs it fills
        no hole. Raises EnvironmentBroke when it cannot be read, HarnessError for bytes outside the block.
        """
        rest = memoryview(buffer).cast("B")
        self._check_inside(block, offset, len(rest))
        with blaming(self._blocks[block].path):
            while rest:
                done = os.preadv(self._files[block], [rest], offset)
                if not done:
                    raise OSError(errno.EIO, f"it ends at byte {offset}")
                rest, offset = rest[done:], offset + done

    def clear(self, block: str, offset: int, size: int) -> None:
        """Make these bytes zero. Holes stay holes and cost nothing, and what is zero already is not touched.

        Raises EnvironmentBroke when they cannot be read or written, HarnessError for bytes outside the block.
        """
        self._check_inside(block, offset, size)
        file, stop = self._files[block], offset + size
        with blaming(self._blocks[block].path):
            while (offset := first_data(file, offset, stop)) < stop:
                content = os.pread(file, min(_LOOK, stop - offset), offset)
                if np.frombuffer(content, np.uint8).any():
                    self.write(block, offset, bytes(len(content)))
                offset += len(content)

    def reserve(self, block: str, offset: int, size: int) -> None:
        """Give ``size`` bytes from ``offset`` on real storage, so that stores through a view cannot fail.

        Raises EnvironmentBroke when there is no space.
        """
        path = self._blocks[self._known(block)].path
        with blaming(path):
            os.posix_fallocate(self._files[block], offset, size)

    def reserve_all(self) -> None:
        """The same for every byte; raises as ``reserve``."""
        for block in self._blocks.values():
            self.reserve(block.name, 0, block.size)

    def digest(self, blocks: Iterable[str] | None = None) -> dict[str, str]:
        """Return the SHA-256 of each block, or of some, in hexadecimal; other threads run meanwhile.

        A hole costs time and no memory: through a view, tmpfs would fill it. Raises EnvironmentBroke when a block
        cannot be read.
        """
        return {block: self._digest(self._known(block)) for block in (self._maps if blocks is None else blocks)}

    def differences(self, other: GuestMemory, limit: int = 8) -> list[Difference]:
        """Return the first ``limit`` runs of pages whose content differs, in order.

        Raises HarnessError when the two do not have the same blocks.
        """
        if self.layout.sizes != other.layout.sizes:
            raise HarnessError(f"blocks are {other.layout.sizes}, expected {self.layout.sizes}")
        found = (
            Difference(block, first, count)
            for block in self._maps
            for first, count in self._differing_runs(other, block)
        )
        return list(islice(found, limit))

    def close(self) -> None:
        """Let go of files and mappings; a view that is still in use keeps its own mapping alive."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _differing_runs(self, other: GuestMemory, block: str) -> Iterator[tuple[int, int]]:
        """Yield the runs of differing pages, each as long as it is, whatever pieces were looked at.

        Only what is data in one of the two is read, and read a piece at a time: holes are equal, and cost nothing.
        """
        page_size, size = self.layout.page_size, self._blocks[block].size
        with blaming(self._blocks[block].path):
            known = [*extents(self._files[block], size), *extents(other._files[block], size)]
        start = stop = 0
        for at, end in merged(known, page_size):
            mine, theirs = self._piece(block, at, end), other._piece(block, at, end)
            # Nearly always they are: to see that takes a tenth of looking at every page.
            if np.array_equal(mine.view(np.uint64), theirs.view(np.uint64)):
                continue
            for first, count in runs(~zero_rows(mine ^ theirs)):
                index = first + at // page_size
                if index != stop:
                    if stop:
                        yield start, stop - start
                    start = index
                stop = index + count
        if stop:
            yield start, stop - start

    def _digest(self, block: str) -> str:
        digest, size, at = hashlib.sha256(), self._blocks[block].size, 0
        with blaming(self._blocks[block].path):
            known = [*extents(self._files[block], size), (size, size)]
        for start, stop in known:
            for hole in range(at, start, PIECE):
                digest.update(_zeros()[: start - hole])
            for piece in range(start, stop, PIECE):
                digest.update(self._bytes(block, piece, min(piece + PIECE, stop)).data)
            at = stop
        return digest.hexdigest()

    def _bytes(self, block: str, start: int, stop: int) -> NDArray[np.uint8]:
        """These bytes, read and not mapped."""
        piece = np.empty(stop - start, np.uint8)
        self.read(block, start, piece.data)
        return piece

    def _piece(self, block: str, start: int, stop: int) -> NDArray[np.uint8]:
        """The same page by page."""
        return self._bytes(block, start, stop).reshape(-1, self.layout.page_size)

    def _map(self, block: RamBlock, writable: bool) -> None:
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        with blaming(block.path):
            file = os.open(block.path, os.O_RDWR if writable else os.O_RDONLY)
            self._resources.callback(os.close, file)
            mapping = mmap.mmap(file, block.size, access=access)
        self._resources.callback(_unmap, mapping)
        self._files[block.name] = file
        self._maps[block.name] = mapping

    def _check_inside(self, block: str, offset: int, count: int) -> None:
        size = self._blocks[self._known(block)].size
        if not 0 <= offset <= size - count:
            raise HarnessError(f"offset is {offset} for {count} bytes, expected them within {size} bytes of {block!r}")

    def _known(self, block: str) -> str:
        if block not in self._blocks:
            raise HarnessError(f"block is {block!r}, expected one of {list(self._blocks)}")
        return block


def zero_rows(pages: NDArray[np.uint8]) -> Mask:
    """Tell for every row whether all its bytes are zero; the length of a row is a multiple of 8."""
    combined: NDArray[np.uint64] = np.bitwise_or.reduce(pages.view(np.uint64), axis=1)
    return np.equal(combined, 0)


@cache
def _zeros() -> memoryview:
    return memoryview(bytes(PIECE))


def _file_name(block: str) -> str:
    """Name a block's file: readable, without a slash, and short enough also for 255 escaped bytes.

    A short name has no ``+``, which is escaped: what is called like the file of a long one has another file.
    """
    name = quote(block, safe=" @")
    if len(name) + len(".ram") > NAME_MAX:
        name = f"{name[:160]}+{hashlib.sha256(block.encode()).hexdigest()}"
    return f"{name}.ram"


def _unmap(mapping: mmap.mmap) -> None:
    # CPython refuses to close under a view; the mapping then ends with the last view.
    with suppress(BufferError):
        mapping.close()
