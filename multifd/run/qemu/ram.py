"""The files behind the RAM blocks of a QEMU's guest: laid out before, compared after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from multifd.evidence.observe import Memory, compare
from multifd.memory.host import blaming
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout, Script
from multifd.memory.sparse import copy
from multifd.qemu.dimms import file_of


def filled(ram: Path, image: MemoryLayout) -> None:
    """Give a guest the content of an image, a :func:`_reserved` one."""
    for block in image.blocks:
        copy(Path(block.path), file_of(ram, block.name))
        _reserved(file_of(ram, block.name), block.size)


def emptied(ram: Path, sizes: Mapping[str, int]) -> None:
    """Give a guest zero memory, :func:`_reserved` too."""
    for block, size in sizes.items():
        file_of(ram, block).write_bytes(b"")
        _reserved(file_of(ram, block), size)


def _reserved(file: Path, size: int) -> None:
    """Have room for all of it: a QEMU that touches a hole for which there is none is killed (SIGBUS).

    Raises EnvironmentBroke where there is no room.
    """
    with blaming(file), file.open("r+b") as opened:
        os.posix_fallocate(opened.fileno(), 0, size)


def left_in(ram: Path, script: Script) -> Memory:
    """A guest's RAM compared with the script, every RAM block of it."""
    return arrived_in({name: file_of(ram, name) for name in script.expected.sizes}, script)


def arrived_in(files: Mapping[str, Path], script: Script) -> Memory:
    """What is in these files, by RAM block, compared with the script, which may have fewer blocks."""
    last = script.expected
    blocks = tuple(block.model_copy(update={"path": str(files[block.name])}) for block in last.blocks)
    with GuestMemory.open(last.model_copy(update={"blocks": blocks}), writable=False) as memory:
        return compare(memory, script)
