"""The files behind the RAM blocks of a QEMU's guest: laid out before, compared after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from multifd.evidence.observe import Memory, compare
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout, Script
from multifd.memory.sparse import copy
from multifd.qemu.dimms import file_of


def filled(ram: Path, image: MemoryLayout) -> None:
    """Give a guest the content of an image; raises EnvironmentBroke where there is no space."""
    for block in image.blocks:
        copy(Path(block.path), file_of(ram, block.name))


def emptied(ram: Path, sizes: Mapping[str, int]) -> None:
    """Give a guest zero memory."""
    for block, size in sizes.items():
        with file_of(ram, block).open("wb") as file:
            file.truncate(size)


def left_in(ram: Path, script: Script) -> Memory:
    """A guest's RAM compared with the script, every RAM block of it."""
    return arrived_in({name: file_of(ram, name) for name in script.expected.sizes}, script)


def arrived_in(files: Mapping[str, Path], script: Script) -> Memory:
    """What is in these files, by RAM block, compared with the script, which may have fewer blocks."""
    last = script.expected
    blocks = tuple(block.model_copy(update={"path": str(files[block.name])}) for block in last.blocks)
    with GuestMemory.open(last.model_copy(update={"blocks": blocks}), writable=False) as memory:
        return compare(memory, script)
