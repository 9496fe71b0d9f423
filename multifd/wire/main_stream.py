"""The main channel, the migration stream beside the multifd channels: what it is made of.

QEMU writes (``migration/savevm.c``, QEMU 10.2: ``qemu_savevm_state_header``, ``_setup``, ``_iterate``, ``_complete``)::

    "QEVM" be32, version 3 be32
    CONFIGURATION 7   be32 length, machine name, SUBSECTION 5 *
    START 1           be32 id, u8+idstr, be32 instance, be32 version, body, FOOTER 0x7e, be32 id
    PART 2, END 3     be32 id, body, FOOTER 0x7e, be32 id
    COMMAND 8         be16 command, be16 length, data
    FULL 4            like START: one device; EOF 0; VMDESCRIPTION 6

A section has no length: only who knows the body finds its end. We know one body, that of ``ram``
(``migration/ram.c``, QEMU 10.2: ``ram_save_setup``, ``ram_load_precopy``), be64 words ``offset | flags`` up to EOS::

    MEM_SIZE 0x04       per block u8+idstr, be64 bytes; until the blocks' sum reaches the word's offset
    ZERO 0x02           [u8+idstr unless CONTINUE 0x20], fill byte 0
    PAGE 0x08           [u8+idstr unless CONTINUE 0x20], one page
    MULTIFD_FLUSH 0x200 a SYNC stands on every multifd channel; unknown before QEMU 8.1
    EOS 0x10            end of the body; before QEMU 8.1 the flush point

Hence anything but RAM that comes before the end of RAM cannot be read, and everything after it is device state. With
multifd on, the other flags (FULL, XBZRLE, HOOK, COMPRESS_PAGE) do not occur.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, Literal, TypeAlias

Phase: TypeAlias = Literal["setup", "iterate", "complete"]

FILE_MAGIC: Final = 0x5145564D
"""``QEMU_VM_FILE_MAGIC``, "QEVM"."""
FILE_VERSION: Final = 3
"""``QEMU_VM_FILE_VERSION``."""
RAM_VERSION: Final = 4
"""Version of the ``ram`` section (``register_savevm_live("ram", 0, 4, ...)`` in ``migration/ram.c``)."""


class Section(IntEnum):
    """Section types (``QEMU_VM_*`` in ``migration/savevm.h``, QEMU 10.2)."""

    EOF = 0
    START = 1
    PART = 2
    END = 3
    FULL = 4
    SUBSECTION = 5
    VMDESCRIPTION = 6
    CONFIGURATION = 7
    COMMAND = 8
    FOOTER = 0x7E


class RamFlag(IntFlag):
    """Flags in the low bits of a RAM word (``RAM_SAVE_FLAG_*`` in ``migration/ram.c``)."""

    ZERO = 0x02
    MEM_SIZE = 0x04
    PAGE = 0x08
    EOS = 0x10
    CONTINUE = 0x20
    MULTIFD_FLUSH = 0x200


@dataclass(frozen=True, slots=True)
class Blocks:
    """The MEM_SIZE list: the sender's RAM blocks in its order, as ``(name, bytes)``."""

    blocks: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ZeroPage:
    """The page of ``block`` at ``offset`` (bytes) holds only zeros."""

    block: str
    offset: int


@dataclass(frozen=True, slots=True)
class Page:
    """The page of ``block`` at ``offset`` (bytes) holds ``data``, exactly one page."""

    block: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Flush:
    """The word 0x200: wait for the SYNC of every multifd channel."""


@dataclass(frozen=True, slots=True)
class EndOfSection:
    """The word EOS; where the dialect has no flush word, wait for the SYNC of every multifd channel."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class RamEnd:
    """The last RAM section is closed: nothing after it is RAM."""


Event: TypeAlias = Blocks | ZeroPage | Page | Flush | EndOfSection | RamEnd
