"""A user's own content: pages taken from all over files, such as dumps of real guests.

A file is a row of pages, the last one filled up with zeros, as a guest's page cache holds it; so a directory of many
small files has a page for each, and what is a page in a dump stays one page. Files stand in the order of their paths'
bytes. Each gives pages in proportion to its own, zero pages and equal ones among them in their share; they come in
stretches, spread evenly over the file, for what a compressor gains by neighbours must be there as well.

Regular files only, whatever is in them. Links are not followed: what is behind one is not below the directory. Nothing
is read but what is taken, so neither the size of a file nor its holes cost anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from multifd.errors import EnvironmentBroke, InputError
from multifd.memory.corpora.stream import Content
from multifd.memory.dice import Dice
from multifd.memory.host import blaming

STRETCH: Final = 32 << 10
"""Bytes of neighbours that are taken together: as far as DEFLATE looks back (RFC 1951, section 2)."""


_MOST: Final = 1 << 32
"""Numbers that dice can draw one of."""


@dataclass(frozen=True, slots=True)
class File:
    """A regular file that is not empty, and the bytes that it had when it was found."""

    path: str
    size: int

    def pages(self, page_size: int) -> int:
        """Pages that it takes."""
        return -(-self.size // page_size)


Stretch = tuple[int, int]
"""The first page of it in its file, and how many they are."""


@dataclass(frozen=True, slots=True)
class Files:
    """All files below a directory, by the bytes of their paths."""

    directory: Path
    files: tuple[File, ...]

    def pages(self, page_size: int) -> int:
        """Pages of all files together."""
        return sum(file.pages(page_size) for file in self.files)

    def content(self, page_size: int, size: int, dice: Dice) -> Content:
        """Take ``size`` bytes: a part of the pages, or each of them once and then again from the first.

        Raises EnvironmentBroke, naming the file, when one is gone, cannot be read or has become shorter.
        """
        pages = self.pages(page_size)
        # What is asked for need not be whole pages; what is taken is.
        taken = bytearray(min(-(-size // page_size), pages) * page_size)
        rest = memoryview(taken)
        for file, stretches in self.stretches(page_size, len(taken) // page_size, dice):
            with blaming(shown(file.path)), Path(file.path).open("rb", buffering=0) as source:
                for first, number in stretches:
                    room, rest = rest[: number * page_size], rest[number * page_size :]
                    _read(source.fileno(), file, first * page_size, room)
        return memoryview(taken)[:size] if size <= len(taken) else memoryview(taken * -(-size // len(taken)))[:size]

    def stretches(self, page_size: int, count: int, dice: Dice) -> Iterator[tuple[File, Iterator[Stretch]]]:
        """Choose ``count`` pages, at most as many as there are; a file that gives none is left out."""
        pages = self.pages(page_size)
        # One offset for all borders: a file gives what is due to it, rounded up as often as that is fair.
        offset = dice.integer(0, min(pages, _MOST))
        given = 0
        for file, end in zip(self.files, accumulate(file.pages(page_size) for file in self.files), strict=True):
            due = (end * count + offset) // pages
            if due > given:
                yield file, _spread(file.pages(page_size), due - given, max(1, STRETCH // page_size), dice)
            given = due


def find(directory: Path) -> Files:
    """All regular files below ``directory`` that are not empty.

    Raises InputError when there is no such directory or no such file in it, or a part of it cannot be read.
    """
    if not directory.exists():
        raise InputError(f"corpus: {directory} does not exist, expected a directory with files")
    if not directory.is_dir():
        raise InputError(f"corpus: {directory} is not a directory, expected a directory with files")
    found = sorted(_below(str(directory)), key=lambda file: os.fsencode(file.path))
    if not found:
        lacks = "no regular file that is not empty, expected at least one; links are not followed"
        raise InputError(f"corpus: {directory} holds {lacks}")
    return Files(directory, tuple(found))


def shown(path: str) -> str:
    """A path as text that can be written anywhere, whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _below(directory: str) -> Iterator[File]:
    folders = [directory]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        size = entry.stat(follow_symlinks=False).st_size
                        if size:
                            yield File(entry.path, size)
        except OSError as problem:
            raise InputError(f"corpus: {shown(problem.filename or folder)}: {problem.strerror}") from problem


def _spread(pages: int, count: int, length: int, dice: Dice) -> Iterator[Stretch]:
    """Choose ``count`` of ``pages`` in stretches of ``length`` or less, in order, none twice.

    What is left out is shared by the stretches evenly; of its share a random part is before the stretch.
    """
    number = -(-count // length)
    left_out = pages - count
    for index in range(number):
        taken, passed = index * count // number, index * left_out // number
        room = (index + 1) * left_out // number - passed
        before = dice.integer(0, min(room + 1, _MOST))
        yield taken + passed + before, (index + 1) * count // number - taken


def _read(descriptor: int, file: File, start: int, room: memoryview) -> None:
    """Fill ``room`` from byte ``start`` on as far as the file had bytes when it was found."""
    end = min(start + len(room), file.size)
    while start < end:
        count = os.preadv(descriptor, [room[: end - start]], start)
        if not count:
            raise EnvironmentBroke(f"{shown(file.path)}: ends at byte {start}, had {file.size} bytes before")
        room = room[count:]
        start += count
