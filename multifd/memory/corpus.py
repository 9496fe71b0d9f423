"""The corpora by name: all page content comes from here, the same for the same name, size and seed.

What a guest holds decides what a compressor does, so a conformance run goes through content of every kind;
``mixed`` has something of each kind that is the same on every host, so a cell's bytes follow from its id wherever it
runs. Real files are a corpus of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np

from multifd.errors import InputError
from multifd.memory.corpora import archive, edges, files, language, plain, program
from multifd.memory.corpora.stream import Content, Generate
from multifd.memory.corpora.user import Files
from multifd.memory.dice import Dice
from multifd.result.counted import counted

SLICE: Final = 65536
"""Bytes; a slice of ``mixed`` is a multiple of it, so that every page lies within one slice."""

SMALL_PAGE: Final = 4096
"""Bytes of a page where nothing else is said."""

Paged = Callable[[int, int, Dice], Content]
"""What makes, for a page size, exactly so many bytes of content with these dice."""


@dataclass(frozen=True)
class Corpus:
    """A kind of page content; ``generate`` returns exactly as many bytes as it is asked for."""

    name: str
    description: str
    generate: Generate
    portable: bool = True
    """The bytes are the same on every host."""
    period: int | None = None
    """Distance in bytes at which it repeats, where that is what it is about."""
    paged: Paged | None = None
    """The same for pages of so many bytes, where it depends on them; ``generate`` is for pages of 4 KiB then."""

    def of_pages(self, page_size: int) -> Corpus:
        """The corpus as a guest with pages of ``page_size`` bytes has it."""
        return self if self.paged is None else replace(self, generate=partial(self.paged, page_size))

    def content(self, size: int, seed: int) -> Content:
        """Return ``size`` bytes, which depend on the corpus, the size and the seed (0 or more) only."""
        return self.generate(size, Dice(seed, *self.name.encode()))


def generate(name: str, size: int, seed: int) -> Content:
    """Return ``size`` bytes of the corpus ``name``. Raises InputError for an unknown name."""
    if name not in CORPORA:
        raise InputError(f"corpus: {name!r} is unknown, expected one of {', '.join(CORPORA)}")
    return CORPORA[name].content(size, seed)


def user_corpus(found: Files) -> Corpus:
    """Make a corpus of a user's files, whose pages stay pages."""
    return _paged("user", f"{counted(len(found.files), 'file')} below {found.directory}", found.content, portable=False)


def _mixed(size: int, dice: Dice) -> Content:
    """Cut the memory into as many slices as there are parts, equal but for one ``SLICE``."""
    slices = np.array_split(np.arange(-(-size // SLICE)), len(MIXED_PARTS))
    parts = [part.generate(len(units) * SLICE, dice) for part, units in zip(MIXED_PARTS, slices, strict=True)]
    return memoryview(b"".join(parts))[:size]


def _paged(name: str, description: str, paged: Paged, *, portable: bool = True) -> Corpus:
    return Corpus(name, description, partial(paged, SMALL_PAGE), portable, paged=paged)


def _period(length: int) -> Corpus:
    return Corpus(
        f"period-{length}",
        f"random bytes that repeat at a distance of exactly {length}",
        partial(edges.period, length),
        period=length,
    )


_KINDS: Final = (
    Corpus("zero", "nothing but zero pages", plain.zero),
    Corpus("text", "sentences and log lines", language.text),
    Corpus("heap", "words of 8 bytes: pointers, small integers, zeros", program.heap),
    Corpus("code", "x86-64 machine code", program.machine_code),
    Corpus("random", "incompressible bytes", plain.random_bytes),
    Corpus("sparse", "zeros with a few bytes set in each page", plain.sparse),
    Corpus("constant", "pages of one non-zero byte each", plain.constant),
    Corpus("compressed", "zlib streams, incompressible but for their headers", archive.compressed),
    Corpus("qemu-test", "a counter at the start of each 4 KiB, as QEMU's migration test", plain.qemu_test),
    Corpus("runs-258", "runs of equal bytes as long as DEFLATE's longest match, give or take", edges.runs),
    Corpus("codes-15", "literals whose Huffman codes must be limited to 15 bits", edges.long_codes),
    Corpus("stored-64k", "incompressible stretches longer than a stored block", edges.stored),
)

_HOST_FILES: Final = Corpus(
    "host-files",
    "files of this host's Python library: other bytes on every host and with every Python",
    files.host_files,
    portable=False,
)

MIXED_PARTS: Final = (
    *_KINDS,
    *(_period(window + beyond) for window in edges.WINDOWS for beyond in (0, 1)),
)
"""Every portable kind, and for each window the last distance that it reaches and the first that it does not."""

CORPORA: Final[Mapping[str, Corpus]] = MappingProxyType(
    {
        corpus.name: corpus
        for corpus in (
            *_KINDS,
            _HOST_FILES,
            Corpus("mixed", "a patchwork of all that are the same on every host", _mixed),
            *(_period(window + beyond) for window in edges.WINDOWS for beyond in (-1, 0, 1)),
            _paged("page-edge", "pages that come out just shorter than a page, as long, just longer", edges.page_edge),
        )
    }
)

PORTABLE: Final = tuple(name for name, corpus in CORPORA.items() if corpus.portable)
"""Names of those whose bytes are the same on every host."""
