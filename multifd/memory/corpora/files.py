"""Content of the real files that every host has: those of its Python."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from multifd.errors import EnvironmentBroke
from multifd.memory.corpora.stream import Content, repeated
from multifd.memory.dice import Dice
from multifd.memory.host import blaming

SUFFIXES: Final = (".py", ".so")
FOREIGN: Final = frozenset({"site-packages", "dist-packages"})
"""Folders of a library that hold what was installed later: their content changes."""


def host_files(size: int, dice: Dice) -> Content:
    """The standard library of this Python, sources and extension modules, from a file drawn at random on.

    Raises EnvironmentBroke on a host whose Python keeps no such files.
    """
    library = Path(sysconfig.get_path("stdlib"))
    files = _library_files(library)
    if not files:
        raise EnvironmentBroke(f"{library}: holds no file of Python's standard library")
    first = dice.integer(0, len(files))
    return concatenated(files[first:] + files[:first], size)


def concatenated(files: Iterable[Path], size: int) -> bytes:
    """Join files, not all of them empty, in order and again from the first up to ``size`` bytes.

    Raises EnvironmentBroke when one cannot be read.
    """
    pieces: list[bytes] = []
    missing = size
    for path in files:
        if missing <= 0:
            break
        with blaming(path), path.open("rb") as file:
            pieces.append(file.read(missing))
        missing -= len(pieces[-1])
    return repeated(pieces, size)


@cache
def _library_files(library: Path) -> tuple[Path, ...]:
    found: list[Path] = []
    for folder, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in FOREIGN]
        found += [Path(folder, name) for name in names if name.endswith(SUFFIXES)]
    return tuple(sorted(path for path in found if path.is_file() and path.stat().st_size))
