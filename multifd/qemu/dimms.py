"""Further memory backends of a guest: DIMMs, each a RAM block of its own beside the machine's.

A migration sends a DIMM's block as it sends the machine's RAM, only its guest addresses are elsewhere: behind 4 GiB,
one after the other (``pc-dimm``, hw/mem/pc-dimm.c, QEMU 11.1). Sizes are multiples of a page, down to one page;
7.2.22, 10.0.2, 10.0.13 and 11.1.3 migrate them to each other (measured).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from multifd.memory.blocks import MACHINE_RAM

_FIRST: Final = 4 << 30
"""Guest address of the first: where a PC with less RAM than that begins to plug memory."""


def file_of(memory: Path, block: str) -> Path:
    """The file behind a RAM block of a guest whose machine's RAM is in the file ``memory``."""
    return memory if block == MACHINE_RAM else memory.with_name(f"{memory.stem}-{block}{memory.suffix}")


def addresses(dimms: Mapping[str, int]) -> dict[str, int]:
    """Guest address of each, by their bytes."""
    found: dict[str, int] = {}
    for block in dimms:
        found[block] = _FIRST + sum(dimms[other] for other in found)
    return found


def plugged(dimms: Mapping[str, int], memory: Path, ram: int) -> tuple[str, ...]:
    """QEMU's options for them, behind those for the ``ram`` bytes in the file ``memory``; none without any."""
    if not dimms:
        return ()
    given = ["-m", f"slots={len(dimms)},maxmem={ram + sum(dimms.values())}B"]
    for block, address in addresses(dimms).items():
        given += ["-object", backend(block, file_of(memory, block), dimms[block])]
        given += ["-device", f"pc-dimm,memdev={block},addr={address:#x}"]
    return tuple(given)


def backend(block: str, file: Path, size: int) -> str:
    """A memory backend of ``size`` bytes that anybody can set and compare, as ``-object`` takes it."""
    return f"memory-backend-file,id={block},mem-path={_escaped(file)},share=on,size={size}"


def _escaped(path: Path) -> str:
    """A comma ends a value in QEMU's options; two are one."""
    return str(path).replace(",", ",,")
