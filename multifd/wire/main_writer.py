"""Writes a main channel (:mod:`multifd.wire.main_stream`) whose only section is RAM."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from multifd.wire.main_stream import FILE_MAGIC, FILE_VERSION, RAM_VERSION, RamFlag, Section


class MainWriter:
    """Writes one main channel whose only section is RAM; every method returns the bytes to send.

    Names longer than 255 bytes raise :class:`OverflowError`.
    """

    SECTION_ID: Final = 2
    """The id that QEMU's ``ram`` gets on a PC."""

    def __init__(self, page_size: int) -> None:
        """``page_size`` in bytes."""
        self._page_size = page_size
        self._block: str | None = None

    def start(self, machine: str, blocks: Sequence[tuple[str, int]], *, flush: bool) -> bytes:
        """Header, configuration and RAM's setup section with the blocks ``(name, bytes)``, whole pages each.

        ``flush`` puts the word 0x200 before EOS here and in the other sections (machine types since 8.1).
        """
        name = machine.encode()
        total = sum(size for _, size in blocks)
        mem_size = b"".join(_pascal(block) + struct.pack(">Q", size) for block, size in blocks)
        return b"".join(
            (
                struct.pack(">IIBI", FILE_MAGIC, FILE_VERSION, Section.CONFIGURATION, len(name)),
                name,
                struct.pack(">BI", Section.START, self.SECTION_ID),
                _pascal("ram"),
                struct.pack(">II", 0, RAM_VERSION),
                struct.pack(">Q", total | RamFlag.MEM_SIZE),
                mem_size,
                self._close(flush=flush),
            )
        )

    def zero_page(self, block: str, offset: int) -> bytes:
        """A zero page's word for the next section's body; names the block only where it changes."""
        same = block == self._block
        self._block = block
        word = struct.pack(">Q", offset | RamFlag.ZERO | (RamFlag.CONTINUE if same else 0))
        return word + (b"" if same else _pascal(block)) + b"\0"

    def part(self, body: bytes, *, flush: bool) -> bytes:
        """One round of RAM with the words of ``body``."""
        return struct.pack(">BI", Section.PART, self.SECTION_ID) + body + self._close(flush=flush)

    def end(self, body: bytes, *, flush: bool) -> bytes:
        """The last round of RAM, then the end of the stream in place of device state."""
        last = struct.pack(">BI", Section.END, self.SECTION_ID) + body + self._close(flush=flush)
        return last + bytes((Section.EOF,))

    def _close(self, *, flush: bool) -> bytes:
        self._block = None
        words = (RamFlag.MULTIFD_FLUSH, RamFlag.EOS) if flush else (RamFlag.EOS,)
        footer = struct.pack(">BI", Section.FOOTER, self.SECTION_ID)
        return b"".join(struct.pack(">Q", word) for word in words) + footer


def _pascal(name: str) -> bytes:
    text = name.encode()
    return len(text).to_bytes(1) + text
