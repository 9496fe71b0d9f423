"""The main channel: the migration stream beside the multifd channels, as far as a multifd receiver needs it.

QEMU writes (``migration/savevm.c``: ``qemu_savevm_state_header``, ``_setup``, ``_iterate``, ``_complete``)::

    "QEVM" be32, version 3 be32
    CONFIGURATION 7   be32 length, machine name, SUBSECTION 5 *
    START 1           be32 id, u8+idstr, be32 instance, be32 version, body, FOOTER 0x7e, be32 id
    PART 2, END 3     be32 id, body, FOOTER 0x7e, be32 id
    COMMAND 8         be16 command, be16 length, data
    FULL 4            like START: one device; EOF 0; VMDESCRIPTION 6

A section has no length: only who knows the body finds its end. We know one body, that of ``ram``
(``migration/ram.c``: ``ram_save_setup``, ``ram_load_precopy``), be64 words ``offset | flags`` up to EOS::

    MEM_SIZE 0x04       per block u8+idstr, be64 bytes; until the blocks' sum reaches the word's offset
    ZERO 0x02           [u8+idstr unless CONTINUE 0x20], fill byte 0
    PAGE 0x08           [u8+idstr unless CONTINUE 0x20], one page
    MULTIFD_FLUSH 0x200 a SYNC stands on every multifd channel; unknown before QEMU 8.1
    EOS 0x10            end of the body; before QEMU 8.1 the flush point

Hence anything but RAM that comes before the end of RAM cannot be read, and everything after it is device
state, which is skipped. With multifd on, the other flags (FULL, XBZRLE, HOOK, COMPRESS_PAGE) do not occur;
they are refused as QEMU refuses what it does not know.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from typing_extensions import Buffer

from multifd.errors import TruncatedError, WireError

Phase: TypeAlias = Literal["setup", "iterate", "complete"]
T = TypeVar("T")

MAGIC: Final = 0x5145564D
"""``QEMU_VM_FILE_MAGIC``, "QEVM"."""
VERSION: Final = 3
"""``QEMU_VM_FILE_VERSION``."""
RAM_VERSION: Final = 4
"""Version of the ``ram`` section (``register_savevm_live("ram", 0, 4, ...)`` in ``migration/ram.c``)."""
MACHINE_NAME_MAX: Final = 255
"""Longest machine name in bytes that the reader takes; the wire's be32 would allow 4 GiB."""


class Section(IntEnum):
    """Section types (``QEMU_VM_*`` in ``migration/savevm.h``)."""

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


_ZERO_PAGE: Final = struct.Struct(">QB")
"""Word and fill byte of a zero page of the block before."""
_ZERO_AGAIN: Final = RamFlag.ZERO.value | RamFlag.CONTINUE.value

_PHASES: Final[Mapping[int, Phase]] = MappingProxyType(
    {Section.START: "setup", Section.FULL: "setup", Section.PART: "iterate", Section.END: "complete"}
)

_CONFIGURATION: Final[Mapping[str, int]] = MappingProxyType(
    {"configuration/target-page-bits": 4, "configuration/uuid": 16}
)
"""Subsections of the configuration that have a fixed size, in bytes (``vmstate_configuration``)."""

_RESHAPING: Final = ("x-ignore-shared", "mapped-ram")
"""Capabilities that add fields to the MEM_SIZE list, which then cannot be read by these rules."""


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


class _Want(NamedTuple):
    """What the parser needs next: a name for messages and a number of bytes (> 0)."""

    field: str
    size: int
    pages: bool = False
    """A RAM word, which may be that of a page."""


_Parser: TypeAlias = Generator[_Want, bytes, T]


def _take(field: str, size: int) -> _Parser[bytes]:
    return (yield _Want(field, size)) if size else b""


def _uint(field: str, size: int) -> _Parser[int]:
    return int.from_bytes((yield _Want(field, size)))


def _counted(field: str) -> _Parser[str]:
    size = yield from _uint(f"{field} length", 1)
    return (yield from _take(field, size)).decode(errors="backslashreplace")


class MainReader:
    """Reads one main channel, in chunks of any size.

    It keeps at most one record (a page, a name, a command's data: 64 KiB at most). An error is final: every
    later call raises it again; events that stood before the error in the same chunk are not returned.
    """

    def __init__(self, page_size: int, *, flush_word: bool = True) -> None:
        """``page_size`` in bytes; ``flush_word`` False is a receiver before QEMU 8.1, which refuses 0x200."""
        self.machine: str | None = None
        """Machine type of the sender, once its configuration has been read."""
        self._page_size = page_size
        known = {RamFlag.MEM_SIZE, RamFlag.ZERO, RamFlag.PAGE, RamFlag.EOS}
        self._known = known | {RamFlag.MULTIFD_FLUSH} if flush_word else known
        self._blocks: dict[str, int] = {}
        # The block that CONTINUE refers to outlives its section (mis->last_recv_block in ram.c).
        self._block: str | None = None
        self._ram_id: int | None = None
        self._events: list[Event] = []
        self._got = bytearray()
        self._error: WireError | None = None
        self._parser = self._stream()
        self._want: _Want | None = next(self._parser)

    def feed(self, data: Buffer) -> list[Event]:
        """The events that these bytes complete.

        Raises :class:`WireError`, with QEMU's words where QEMU has them. After :class:`RamEnd` everything
        is skipped.
        """
        if self._error is not None:
            raise self._error
        rest = memoryview(data).cast("B")
        while rest and self._want is not None:
            if self._want.pages and not self._got:
                rest = rest[self._zero_pages(rest) :]
            missing = self._want.size - len(self._got)
            self._got += rest[:missing]
            rest = rest[missing:]
            if len(self._got) == self._want.size:
                self._want = self._advance()
        events, self._events = self._events, []
        return events

    def finish(self) -> None:
        """The stream ended; raises :class:`TruncatedError` naming the place if that was before RAM ended."""
        if self._error is not None:
            raise self._error
        if self._want is not None:
            raise TruncatedError(f"main channel {self._want.field}", len(self._got), self._want.size)

    def _zero_pages(self, data: memoryview) -> int:
        """Take the zero pages that begin here, all of the block before them; returns their bytes.

        A quarter of a million of them may come for each GiB, and record by record they would keep the interpreter
        from the channels for seconds. Whatever is not as it should be is left to the parser.
        """
        block, taken = self._block, 0
        if block is None:
            return taken
        size = self._blocks[block]
        for word, fill in _ZERO_PAGE.iter_unpack(data[: len(data) // _ZERO_PAGE.size * _ZERO_PAGE.size]):
            offset = word - _ZERO_AGAIN
            if fill or offset % self._page_size or offset >= size:
                break
            self._events.append(ZeroPage(block, offset))
            taken += _ZERO_PAGE.size
        return taken

    def _advance(self) -> _Want | None:
        record = bytes(self._got)
        self._got.clear()
        try:
            return self._parser.send(record)
        except StopIteration:
            return None
        except WireError as error:
            self._error = error
            raise

    def _stream(self) -> _Parser[None]:
        yield from self._header()
        section = yield from self._configuration()
        while True:
            if section in _PHASES:
                yield from self._section(Section(section))
                if section == Section.END:
                    self._events.append(RamEnd())
                    return
            elif section == Section.COMMAND:
                yield from self._command()
            elif section == Section.EOF:
                raise WireError("section type", section, "the end of RAM before the end of the stream")
            else:
                raise WireError("section type", section, "1-4 or 8", f"Unknown savevm section type {section}")
            section = yield from _uint("section type", 1)

    def _header(self) -> _Parser[None]:
        magic = yield from _uint("file magic", 4)
        if magic != MAGIC:
            raise WireError("file magic", magic, MAGIC, "Not a migration stream")
        version = yield from _uint("file version", 4)
        if version != VERSION:
            raise WireError("file version", version, VERSION, "Unsupported migration stream version")

    def _configuration(self) -> _Parser[int]:
        """Reads the configuration and the type of the section after it, which alone ends the subsections."""
        section = yield from _uint("section type", 1)
        if section != Section.CONFIGURATION:
            raise WireError("section type", section, 7, "Configuration section missing")
        size = yield from _uint("machine name length", 4)
        if size > MACHINE_NAME_MAX:
            raise WireError("machine name length", size, f"at most {MACHINE_NAME_MAX}")
        self.machine = (yield from _take("machine name", size)).decode(errors="backslashreplace")
        while (section := (yield from _uint("section type", 1))) == Section.SUBSECTION:
            name = yield from _counted("subsection name")
            yield from _uint("subsection version", 4)
            if name == "configuration/capabilities":
                yield from self._capabilities()
            elif name in _CONFIGURATION:
                yield from _take(name, _CONFIGURATION[name])
            else:
                known = ", ".join([*_CONFIGURATION, "configuration/capabilities"])
                raise WireError("subsection of the configuration", name, f"one of {known}")
        return section

    def _capabilities(self) -> _Parser[None]:
        count = yield from _uint("capabilities count", 4)
        for _ in range(count):
            name = yield from _counted("capability")
            if name in _RESHAPING:
                raise WireError("capability", name, "none that changes the list of RAM blocks")

    def _command(self) -> _Parser[None]:
        yield from _uint("command", 2)
        size = yield from _uint("command length", 2)
        yield from _take("command data", size)

    def _section(self, section: Section) -> _Parser[None]:
        if section in (Section.START, Section.FULL):
            yield from self._section_header()
        else:
            section_id = yield from _uint("section id", 4)
            if section_id != self._ram_id:
                raise WireError("section id", section_id, self._ram_id, f"Unknown savevm section {section_id}")
        yield from self._ram(_PHASES[section])
        mark = yield from _uint("section footer", 1)
        if mark != Section.FOOTER:
            raise WireError("section footer", mark, 0x7E, "Missing section footer for ram")
        footer_id = yield from _uint("section footer id", 4)
        if footer_id != self._ram_id:
            raise WireError(
                "section footer id",
                footer_id,
                self._ram_id,
                f"Mismatched section id in footer for ram - read 0x{footer_id:x} expected 0x{self._ram_id:x}",
            )

    def _section_header(self) -> _Parser[None]:
        section_id = yield from _uint("section id", 4)
        name = yield from _counted("section idstr")
        if name != "ram":
            raise WireError("section idstr", name, "ram: only RAM may precede the end of RAM")
        yield from _uint("section instance", 4)
        version = yield from _uint("section version", 4)
        if version != RAM_VERSION:
            message = f"savevm: unsupported version {version} for 'ram' v{RAM_VERSION}"
            raise WireError("section version", version, RAM_VERSION, message)
        self._ram_id = section_id

    def _ram(self, phase: Phase) -> _Parser[None]:
        """The words of one RAM section; cf. ``ram_load_precopy``."""
        while True:
            word = int.from_bytes((yield _Want(f"RAM word ({phase})", 8, pages=True)))
            offset, flags = word & -self._page_size, word & (self._page_size - 1)
            # As an int: the complement of an IntFlag has only the bits that have names.
            kind = flags & ~RamFlag.CONTINUE.value
            if kind not in self._known:
                known = ", ".join(f"0x{flag:x}" for flag in sorted(self._known))
                message = f"Unknown combination of migration flags: 0x{flags:x}"
                raise WireError("RAM flags", flags, f"one of {known}", message)
            if kind == RamFlag.EOS:
                self._events.append(EndOfSection(phase))
                return
            if kind == RamFlag.MULTIFD_FLUSH:
                self._events.append(Flush())
            elif kind == RamFlag.MEM_SIZE:
                yield from self._mem_size(offset)
            else:
                block = yield from self._page_block(offset, flags)
                yield from self._page_content(RamFlag(kind), block, offset)

    def _mem_size(self, total: int) -> _Parser[None]:
        blocks: list[tuple[str, int]] = []
        while total:
            name = yield from _counted("RAM block name")
            size = yield from _uint(f"RAM block {name} size", 8)
            if not 0 < size <= total:
                raise WireError(f"RAM block {name} size", size, f"1 to {total}, the rest of the announced total")
            total -= size
            blocks.append((name, size))
        self._blocks |= blocks
        self._events.append(Blocks(tuple(blocks)))

    def _page_block(self, offset: int, flags: int) -> _Parser[str]:
        """The block that a page word belongs to; cf. ``ram_block_from_stream``."""
        if not flags & RamFlag.CONTINUE:
            name = yield from _counted("RAM block name")
            if name not in self._blocks:
                raise WireError("RAM block name", name, "a name of the MEM_SIZE list", f"Can't find block {name}")
            self._block = name
        if self._block is None:
            raise WireError("RAM flags", flags, "a block name before CONTINUE", "Ack, bad migration stream!")
        size = self._blocks[self._block]
        if offset >= size:
            raise WireError("RAM offset", offset, f"below {size}", f"Illegal RAM offset {offset:x}")
        return self._block

    def _page_content(self, kind: RamFlag, block: str, offset: int) -> _Parser[None]:
        if kind == RamFlag.PAGE:
            data = yield from _take("page data", self._page_size)
            self._events.append(Page(block, offset, data))
            return
        fill = yield from _uint("zero page fill", 1)
        if fill:
            raise WireError("zero page fill", fill, 0, f"Found a zero page with value {fill}")
        self._events.append(ZeroPage(block, offset))


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
                struct.pack(">IIBI", MAGIC, VERSION, Section.CONFIGURATION, len(name)),
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
