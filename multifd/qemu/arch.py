"""Architectures of guests: which program runs them, and what a guest that stands still needs of each.

=========  =======================  ==========================  ==========  ======================================
name       program                  machine types               RAM begins  a reset writes
=========  =======================  ==========================  ==========  ======================================
x86_64     ``qemu-system-x86_64``   ``pc-i440fx``, ``pc-q35``   0           nothing into RAM
aarch64    ``qemu-system-aarch64``  ``virt``                    1 GiB       its device tree, 1 MiB, where RAM begins
=========  =======================  ==========================  ==========  ======================================

Addresses are of ``base_memmap`` (hw/arm/virt.c, QEMU 7.2), the device tree's size is ``FDT_MAX_SIZE``; pages of
``virt`` have 4 KiB, whatever the guest's own have (``minimum_page_bits``). Seen of QEMU 7.2.22.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from multifd.memory.layout import PageSize

USUAL: Final = "usual"
"""The family of machine types that a guest has unless its scenario says another."""
Q35: Final = "q35"


@dataclass(frozen=True, slots=True)
class Arch:
    """One architecture, as QEMU calls it (``query-target``)."""

    name: str
    program: str
    package: str
    """Debian's, without its suffix."""
    families: Mapping[str, re.Pattern[str]]
    """Versioned machine types: major and minor are the groups."""
    page_size: PageSize = 4096
    """Bytes of a page that migrates."""
    ram: int = 0
    """Guest address of the first byte of RAM."""
    dimms: bool = True
    """A machine without firmware takes DIMMs."""
    reset: int = 0
    """Bytes from there on that QEMU writes by itself when the machine is reset, which it is when it starts."""

    @property
    def machines(self) -> str:
        """The usual family, for people."""
        return self.families[USUAL].pattern.partition("-(")[0]


X86: Final = Arch(
    "x86_64", "qemu-system-x86_64", "qemu-system-x86",
    {USUAL: re.compile(r"pc-i440fx-(\d+)\.(\d+)"), Q35: re.compile(r"pc-q35-(\d+)\.(\d+)")},
)  # fmt: skip
"""A PC needs no firmware file for a guest that never runs, and every x86-64 QEMU has it."""
AARCH64: Final = Arch(
    "aarch64", "qemu-system-aarch64", "qemu-system-arm", {USUAL: re.compile(r"virt-(\d+)\.(\d+)")},
    ram=1 << 30, dimms=False, reset=1 << 20,
)  # fmt: skip
"""Its DIMMs are plugged by ACPI, which there is only with firmware (virt_memory_pre_plug, hw/arm/virt.c, QEMU 7.2)."""
ARCHES: Final[Mapping[str, Arch]] = MappingProxyType({arch.name: arch for arch in (X86, AARCH64)})
"""By name, in the order in which they are looked for."""


def arch_of(machine: str) -> Arch:
    """The architecture of a versioned machine type."""
    return next(arch for arch in ARCHES.values() if any(family.fullmatch(machine) for family in arch.families.values()))


@cache
def version_of(machine: str) -> tuple[int, int]:
    """Major and minor of a versioned machine type."""
    found = next(match for family in arch_of(machine).families.values() if (match := family.fullmatch(machine)))
    return int(found[1]), int(found[2])
