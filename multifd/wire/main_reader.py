"""Reads a main channel (:mod:`multifd.wire.main_stream`) as far as a multifd receiver needs it.

::

    HEADER --configuration--> SECTIONS --END of RAM--> ENDED --end of stream--> CLOSED
                              |      ^
                              +------+  START, PART, FULL, COMMAND

=========  ==========================================================  ==================
state      what is due                                                 end of stream here
=========  ==========================================================  ==================
HEADER     magic, version, configuration                               truncated
SECTIONS   RAM and commands: whatever else comes cannot be read        truncated
ENDED      device state, which is skipped                              the sender is done
CLOSED     nothing
ERROR      nothing (:mod:`multifd.wire.state`)
=========  ==========================================================  ==================

Records have lengths that only their contents tell, so that within a state a generator asks for one piece after the
other.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, TypeVar

import numpy as np
from typing_extensions import Buffer

from multifd.errors import HarnessError, TruncatedError, WireError
from multifd.wire.main_stream import (
    FILE_MAGIC,
    FILE_VERSION,
    RAM_VERSION,
    Blocks,
    EndOfSection,
    Event,
    Flush,
    Page,
    Phase,
    RamEnd,
    RamFlag,
    Section,
    ZeroPage,
)
from multifd.wire.state import StateMachine

T = TypeVar("T")

MACHINE_NAME_MAX: Final = 255
"""Longest machine name in bytes that the reader takes; the wire's be32 would allow 4 GiB."""


class MainState(StrEnum):
    """States of a reader; see the table above."""

    HEADER = "HEADER"
    SECTIONS = "SECTIONS"
    ENDED = "ENDED"
    CLOSED = "CLOSED"
    ERROR = "ERROR"


_END: Final = "the end of the stream"

MAIN_TRANSITIONS: Final[Mapping[MainState, Mapping[Section | str, MainState]]] = MappingProxyType(
    {
        MainState.HEADER: {Section.CONFIGURATION: MainState.SECTIONS},
        MainState.SECTIONS: {
            Section.START: MainState.SECTIONS,
            Section.PART: MainState.SECTIONS,
            Section.FULL: MainState.SECTIONS,
            Section.COMMAND: MainState.SECTIONS,
            Section.END: MainState.ENDED,
        },
        MainState.ENDED: {_END: MainState.CLOSED},
        MainState.CLOSED: {},
        MainState.ERROR: {},
    }
)
"""Whole sections, and the end of the stream."""

_ZERO_PAGE: Final = np.dtype([("word", ">u8"), ("fill", "u1")])
"""A zero page of the block before."""
_ZERO_AGAIN: Final = np.uint64(RamFlag.ZERO.value | RamFlag.CONTINUE.value)

_PHASES: Final[Mapping[int, Phase]] = MappingProxyType(
    {Section.START: "setup", Section.FULL: "setup", Section.PART: "iterate", Section.END: "complete"}
)

_CONFIGURATION: Final[Mapping[str, int]] = MappingProxyType(
    {"configuration/target-page-bits": 4, "configuration/uuid": 16}
)
"""Subsections of the configuration that have a fixed size, in bytes (``vmstate_configuration``)."""

_RESHAPING: Final = ("x-ignore-shared", "mapped-ram")
"""Capabilities that add fields to the MEM_SIZE list, which then cannot be read by these rules."""


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


class MainReader(StateMachine[MainState, Section | str]):
    """Reads one main channel, in chunks of any size.

    It keeps at most one record (a page, a name, a command's data: 64 KiB at most). Events that stood before an error in
    the same chunk are what :meth:`left` gives.
    """

    def __init__(self, page_size: int, *, flush_word: bool = True, zero_pages: bool = True) -> None:
        """``page_size`` in bytes; ``flush_word`` False is a receiver before QEMU 8.1, which refuses 0x200.

        ``zero_pages`` False is for who does not want to know of them: most make no events.
        """
        super().__init__(MAIN_TRANSITIONS, MainState.HEADER, MainState.ERROR)
        self.machine: str | None = None
        """Machine type of the sender, once its configuration has been read."""
        self._page_size = page_size
        self._zero_events = zero_pages
        known = {RamFlag.MEM_SIZE, RamFlag.ZERO, RamFlag.PAGE, RamFlag.EOS}
        self._known = known | {RamFlag.MULTIFD_FLUSH} if flush_word else known
        self._blocks: dict[str, int] = {}
        # The block that CONTINUE refers to outlives its section (mis->last_recv_block in migration/ram.c, QEMU 10.2).
        self._block: str | None = None
        self._ram_id: int | None = None
        self._events: list[Event] = []
        self._got = bytearray()
        self._parser = self._stream()
        self._want: _Want | None = next(self._parser)

    def feed(self, data: Buffer) -> list[Event]:
        """The events that these bytes complete.

        Raises :class:`WireError`, with QEMU's words where QEMU has them. After :class:`RamEnd` everything
        is skipped. Raises HarnessError after :meth:`finish`.
        """
        self._check()
        if self.state is MainState.CLOSED:
            raise HarnessError("the stream has ended before")
        rest = memoryview(data).cast("B")
        while rest and self._want is not None:
            if self._want.pages and not self._got:
                rest = rest[self._zero_pages(rest) :]
            missing = self._want.size - len(self._got)
            self._got += rest[:missing]
            rest = rest[missing:]
            if len(self._got) == self._want.size:
                self._want = self._advance()
        return self.left()

    def left(self) -> list[Event]:
        """Events that stood before an error in the same chunk."""
        events, self._events = self._events, []
        return events

    def finish(self) -> None:
        """The stream ended; raises :class:`TruncatedError` naming the place if that was before RAM ended.

        Raises HarnessError where it has ended before.
        """
        self._check()
        if self._want is not None:
            self._fail(TruncatedError(f"main channel {self._want.field}", len(self._got), self._want.size))
        self._move(_END)

    def _zero_pages(self, data: memoryview) -> int:
        """Take the zero pages that begin here, all of the block before them; returns their bytes.

        A quarter of a million of them may come for each GiB, and record by record they would keep the interpreter
        from the channels for seconds. Whatever is not as it should be is left to the parser.
        """
        block = self._block
        if block is None or len(data) < _ZERO_PAGE.itemsize:
            return 0
        records = np.frombuffer(data, _ZERO_PAGE, len(data) // _ZERO_PAGE.itemsize)
        # What is no such word wraps around, and is then beyond every block.
        offsets = records["word"].astype(np.uint64) - _ZERO_AGAIN
        others = (records["fill"] != 0) | (offsets % self._page_size != 0) | (offsets >= self._blocks[block])
        count = int(np.argmax(others)) if others.any() else len(records)
        if self._zero_events:
            self._events += [ZeroPage(block, offset) for offset in offsets[:count].tolist()]
        return count * _ZERO_PAGE.itemsize

    def _advance(self) -> _Want | None:
        record = bytes(self._got)
        self._got.clear()
        try:
            return self._parser.send(record)
        except StopIteration:
            return None
        except WireError as error:
            self._fail(error)

    def _stream(self) -> _Parser[None]:
        yield from self._header()
        section = yield from self._configuration()
        self._move(Section.CONFIGURATION)
        while True:
            if section == Section.EOF:
                raise WireError("section type", section, "the end of RAM before the end of the stream")
            if section not in MAIN_TRANSITIONS[self.state]:
                raise WireError("section type", section, "1-4 or 8", f"Unknown savevm section type {section}")
            if section == Section.COMMAND:
                yield from self._command()
            else:
                yield from self._section(Section(section))
            self._move(Section(section))
            if self.state is MainState.ENDED:
                self._events.append(RamEnd())
                return
            section = yield from _uint("section type", 1)

    def _header(self) -> _Parser[None]:
        magic = yield from _uint("file magic", 4)
        if magic != FILE_MAGIC:
            raise WireError("file magic", magic, FILE_MAGIC, "Not a migration stream")
        version = yield from _uint("file version", 4)
        if version != FILE_VERSION:
            raise WireError("file version", version, FILE_VERSION, "Unsupported migration stream version")

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
