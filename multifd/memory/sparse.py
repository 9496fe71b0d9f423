"""Files that are mostly holes: what of them is data, and copies that keep the holes.

Memory of gigabytes is cheap as long as nobody reads a hole: the file system says where there is data (lseek(2),
SEEK_DATA), in steps of its blocks. One that cannot say calls all of it data.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from multifd.memory.host import blaming

PIECE: Final = 8 << 20
"""Bytes that are looked at, or copied, at once."""

Extent = tuple[int, int]
"""First byte and the one behind the last."""


def extents(file: int, size: int) -> Iterator[Extent]:
    """What is data among the first ``size`` bytes of an open file, in order. Raises OSError."""
    stop = 0
    while stop < size:
        start = first_data(file, stop, size)
        if start == size:
            return
        stop = min(os.lseek(file, start, os.SEEK_HOLE), size)
        yield start, stop


def first_data(file: int, start: int, stop: int) -> int:
    """Where the first data is from ``start`` on, ``stop`` if there is none before. Raises OSError."""
    try:
        return min(os.lseek(file, start, os.SEEK_DATA), stop)
    except OSError as problem:
        if problem.errno == errno.ENXIO:  # nothing but a hole follows
            return stop
        raise


def merged(several: Iterable[Extent], unit: int) -> Iterator[Extent]:
    """What any of these extents has, in order, in whole units of so many bytes, at most :data:`PIECE` at once."""
    end = 0
    for start, stop in sorted(several):
        first, last = max(start // unit * unit, end), -(-stop // unit) * unit
        for at in range(first, last, PIECE):
            yield at, min(at + PIECE, last)
        end = max(end, last)


def copy(source: Path, target: Path) -> None:
    """Copy a file, its holes as holes; raises EnvironmentBroke where that is not possible."""
    with blaming(target), source.open("rb") as original, target.open("wb") as new:
        size = os.fstat(original.fileno()).st_size
        new.truncate(size)
        for start, stop in merged(extents(original.fileno(), size), 1):
            new.seek(start)
            new.write(os.pread(original.fileno(), stop - start, start))
