"""A guest that runs: firmware of our own that writes to memory for ever, and the pattern by which one knows it.

It takes the place of SeaBIOS (``-bios``), so that it runs at once, on every machine type of a PC and without any file
of QEMU's. QEMU's own tests do the same with a boot sector (``tests/qtest/migration/i386/a-b-bootblock.S``). From
:data:`FIRST` to :data:`END` it counts in the first byte of every page, page after page, again and again: whenever it
stands still, pages up to some one have been counted once more than those behind it.

=======  =================  ===========================================
offset   bytes              meaning, all of it in real mode
=======  =================  ===========================================
0xffc0   b8 00 10           ``mov ax, 0x1000``: a segment is 16 bytes
         8e d8              ``mov ds, ax``
         c6 06 00 00 00     ``mov byte [0], 0``
         05 00 01           ``add ax, 0x100``: the next page
         3d 00 a0           ``cmp ax, 0xa000``
         72 f1              below: to the ``mov ds``
         b8 00 10           ``mov ax, 0x1000``
         8e d8              ``mov ds, ax``
         fe 06 00 00        ``inc byte [0]``
         05 00 01, 3d 00 a0 as above
         72 f2              below: to the ``mov ds``
         eb ed              to the ``mov ax`` before it, for ever
0xfff0   ea c0 ff 00 f0     where a CPU begins: ``jmp 0xf000:0xffc0``
=======  =================  ===========================================
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

PAGE: Final = 4096
FIRST: Final = 0x10000
"""Guest address of the first page that is counted in."""
END: Final = 0xA0000
"""Guest address behind the last one, where a PC's memory has its hole."""
PAGES: Final = range(FIRST // PAGE, END // PAGE)
"""Indices of the pages that the guest writes."""
_SIZE: Final = 1 << 16
"""Bytes of the image, which ends where the first 4 GiB do (``x86_bios_rom_init``, hw/i386/x86.c, QEMU 7.2)."""


_CODE: Final[Mapping[int, str]] = {
    0xFFC0: "b80010 8ed8 c606000000 050001 3d00a0 72f1 b80010 8ed8 fe060000 050001 3d00a0 72f2 ebed",
    0xFFF0: "eac0ff00f0",
}


def image() -> bytes:
    """What ``-bios`` is given."""
    made = bytearray(_SIZE)
    for offset, code in _CODE.items():
        written = bytes.fromhex(code)
        made[offset : offset + len(written)] = written
    return bytes(made)


def counts(memory: Path) -> bytes:
    """The first byte of every page that the guest counts in; ``memory`` is the file behind its RAM."""
    with memory.open("rb") as file:
        file.seek(FIRST)
        return file.read(END - FIRST)[::PAGE]


def broken(seen: bytes) -> str | None:
    """Where counts are not what a guest that stands still has, in words; None where they are."""
    steps = [at for at in range(1, len(seen)) if seen[at] != seen[at - 1]]
    if not steps:
        return None
    at = steps[0]
    if len(steps) == 1 and (seen[at - 1] - seen[at]) % 256 == 1:
        return None
    address = FIRST + at * PAGE
    return f"the guest counts {seen[at - 1]} before {address:#x} and {seen[at]} there, expected one step of 1 at most"
