"""Which RAM blocks a guest's memory is, and how many pages its sender puts into a packet: as data.

A receiver looks a block up by its name for every packet, and a packet has pages of one block only; so the number of
blocks, their names and sizes decide what packets look like. A hole is a range of a block that is never sent, as with
virtio-mem: the pages behind it have offsets that do not follow those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from multifd.errors import InputError

UNIT: Final = 512 << 10
"""Bytes: guest memories are multiples of it."""
LEAST: Final = 3 * UNIT
"""Bytes: the least in which packets of every number of pages have their place."""
_SMALL: Final = 64 << 10
"""Bytes of a small block: the largest page."""
_RAM: Final = "pc.ram"
MACHINE_RAM: Final = "m"
"""The id of the memory backend that is a real QEMU's RAM, and so the name of that block."""
_KIB: Final = 1 << 10
_VIDEO: Final = 256 << 10
_HOLE: Final = 256 << 10
_ROMS: Final = ("pc.bios", "0000:00:02.0/vga.vram", "0000:00:03.0/virtio-net-pci.rom", "/rom@etc/acpi/tables")
"""Names as a PC of QEMU has them."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """One way to divide a guest's memory into RAM blocks."""

    name: str
    description: str
    divide: Callable[[int], Mapping[str, int]]
    """Bytes of each block, for so many bytes of memory."""
    hole: int = 0
    """Bytes in the middle of the first block that are never sent; they come on top of the memory."""

    def sizes(self, memory: int) -> dict[str, int]:
        """Bytes of each block of a guest with ``memory`` bytes, a multiple of :data:`UNIT`."""
        return dict(self.divide(memory))


BLOCKS: Final[Mapping[str, Blocks]] = MappingProxyType(
    {
        each.name: each
        for each in (
            Blocks("one", "all memory in one RAM block", lambda memory: {_RAM: memory}),
            Blocks("two", "RAM and a video card's", lambda memory: {_RAM: memory - _VIDEO, "vga.vram": _VIDEO}),
            Blocks(
                "several",
                "RAM and four small blocks with QEMU's longer names",
                lambda memory: {_RAM: memory - len(_ROMS) * _SMALL, **dict.fromkeys(_ROMS, _SMALL)},
            ),
            Blocks("hole", "a range in the middle that is never sent", lambda memory: {_RAM: memory + _HOLE}, _HOLE),
        )
    }
)
"""All ways by name, for peers of ours."""

GUESTS: Final[Mapping[str, Blocks]] = MappingProxyType(
    {
        each.name: each
        for each in (
            Blocks("odd", "one block that ends within a packet", lambda memory: {MACHINE_RAM: memory + 200 * _KIB}),
            Blocks(
                "dimms",
                "RAM and two DIMMs, no size a multiple of a packet's",
                lambda memory: {
                    MACHINE_RAM: memory // 2 + 200 * _KIB, "dimm1": memory // 4 + 516 * _KIB, "dimm2": 508 * _KIB,
                },
            ),
            Blocks(
                "small-dimms",
                "RAM and DIMMs of one and of three pages",
                lambda memory: {MACHINE_RAM: memory, "dimm1": 4 * _KIB, "dimm2": 12 * _KIB},
            ),
        )
    }
)  # fmt: skip
"""The same for a guest of a real QEMU, whose RAM is one block of whole packets where nothing else is said. A machine's
RAM is a multiple of 8 KiB (``machine_set_mem``, hw/core/machine.c, QEMU 11.1), a DIMM of a page."""


def division(name: str) -> Blocks:
    """The way of that name, whoever's guest it is."""
    return BLOCKS[name] if name in BLOCKS else GUESTS[name]


SWEEPS: Final = 32
"""So many sweeps have packets of every number of pages from 1 to 128 among them, 4 KiB each."""


def packet_pages(fill: str, slots: int) -> tuple[int, ...]:
    """Pages of a sender's packets, in turns, where a packet has room for ``slots``; nothing for as many as there are.

    ``full``, ``single``, ``few`` (2 to 8), or ``sweep-N``: N and whatever differs from it by a multiple of
    :data:`SWEEPS`. Raises InputError for anything else.
    """
    match fill.split("-"):
        case ["full"]:
            return ()
        case ["single"]:
            return (1,)
        case ["few"]:
            return tuple(range(2, 9))
        case ["sweep", number] if number.isdecimal() and 1 <= int(number) <= SWEEPS:
            first = (int(number) - 1) % min(slots, SWEEPS) + 1
            return tuple(range(first, slots + 1, SWEEPS))
    raise InputError(f"fill {fill!r}: expected full, single, few or sweep-1 to sweep-{SWEEPS}")
