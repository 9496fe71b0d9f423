"""The main channel: what a receiver learns from it, and how it refuses what it cannot read."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import HarnessError, TruncatedError, WireError
from multifd.wire.main_reader import MAIN_TRANSITIONS, MainReader, MainState
from multifd.wire.main_stream import Blocks, EndOfSection, Event, Flush, Page, RamEnd, RamFlag, Section, ZeroPage
from multifd.wire.main_writer import MainWriter

PAGE = 4096
BLOCKS = (("m", 16 * PAGE), ("pc.bios", 4 * PAGE))
CONTENT = bytes(range(256)) * (PAGE // 256)
HEADER = struct.pack(">II", 0x5145564D, 3)
MACHINE = b"\x07" + struct.pack(">I", 2) + b"pc"


def events(stream: bytes, *, chunk: int | None = None, flush_word: bool = True) -> list[Event]:
    reader = MainReader(PAGE, flush_word=flush_word)
    size = chunk or len(stream)
    return [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]


def error(stream: bytes, *, flush_word: bool = True) -> WireError:
    with pytest.raises(WireError) as caught:
        events(stream, flush_word=flush_word)
    return caught.value


def start(*, flush: bool = False, blocks: Sequence[tuple[str, int]] = BLOCKS) -> bytes:
    return MainWriter(PAGE).start("pc", blocks, flush=flush)


def part(body: bytes) -> bytes:
    return start() + MainWriter(PAGE).part(body, flush=False)


def word(offset: int, flags: int, block: str | None = None) -> bytes:
    name = b"" if block is None else bytes((len(block),)) + block.encode()
    return struct.pack(">Q", offset | flags) + name


def subsection(name: str, body: bytes) -> bytes:
    return b"\x05" + bytes((len(name),)) + name.encode() + struct.pack(">I", 1) + body


def section(kind: int, name: str, version: int = 4) -> bytes:
    return struct.pack(">BIB", kind, 2, len(name)) + name.encode() + struct.pack(">II", 0, version)


# --- numbers ------------------------------------------------------------------------------------------------


def test_sections_and_flags_have_qemus_numbers() -> None:
    assert {section.name: section.value for section in Section} == {
        **{"EOF": 0, "START": 1, "PART": 2, "END": 3, "FULL": 4, "SUBSECTION": 5, "VMDESCRIPTION": 6},
        **{"CONFIGURATION": 7, "COMMAND": 8, "FOOTER": 0x7E},
    }
    assert {flag.name: flag.value for flag in RamFlag} == {
        **{"ZERO": 0x02, "MEM_SIZE": 0x04, "PAGE": 0x08, "EOS": 0x10, "CONTINUE": 0x20, "MULTIFD_FLUSH": 0x200},
    }


# --- what the bytes mean ------------------------------------------------------------------------------------


def test_a_whole_stream_gives_blocks_pages_flushes_and_ends_in_the_order_of_the_wire() -> None:
    writer = MainWriter(PAGE)
    stream = b"".join(
        (
            writer.start("pc-i440fx-10.0", BLOCKS, flush=True),
            writer.part(writer.zero_page("m", 0) + writer.zero_page("m", PAGE), flush=True),
            writer.end(writer.zero_page("pc.bios", 3 * PAGE), flush=True),
        )
    )
    assert events(stream) == [
        *(Blocks(BLOCKS), Flush(), EndOfSection("setup")),
        *(ZeroPage("m", 0), ZeroPage("m", PAGE), Flush(), EndOfSection("iterate")),
        *(ZeroPage("pc.bios", 3 * PAGE), Flush(), EndOfSection("complete"), RamEnd()),
    ]


def test_the_setup_section_is_laid_out_as_qemu_lays_it_out() -> None:
    assert MainWriter(PAGE).start("pc", (("m", 0x2000),), flush=True) == bytes.fromhex(
        "5145564d 00000003"  # QEVM, version 3
        "07 00000002 7063"  # CONFIGURATION "pc"
        "01 00000002 03 72616d 00000000 00000004"  # START, id 2, "ram", instance 0, version 4
        "0000000000002004 01 6d 0000000000002000"  # MEM_SIZE of 0x2000 bytes in all: "m" has all
        "0000000000000200"  # MULTIFD_FLUSH
        "0000000000000010"  # EOS
        "7e 00000002"  # FOOTER, id 2
    )


def test_the_last_section_is_followed_by_the_end_of_the_stream() -> None:
    assert MainWriter(PAGE).end(b"", flush=False) == bytes.fromhex("03 00000002 0000000000000010 7e 00000002 00")


def test_a_zero_page_names_its_block_and_the_next_one_of_that_block_continues() -> None:
    writer = MainWriter(PAGE)
    assert writer.zero_page("m", PAGE) == bytes.fromhex("0000000000001002 01 6d 00")
    assert writer.zero_page("m", 2 * PAGE) == bytes.fromhex("0000000000002022 00")
    assert writer.zero_page("b", 0) == bytes.fromhex("0000000000000002 01 62 00")


def test_a_new_section_names_the_block_again() -> None:
    writer = MainWriter(PAGE)
    writer.part(writer.zero_page("m", 0), flush=False)
    assert writer.zero_page("m", PAGE) == word(PAGE, RamFlag.ZERO, "m") + b"\0"


def test_a_name_above_255_bytes_cannot_be_written() -> None:
    with pytest.raises(OverflowError):
        MainWriter(PAGE).zero_page("x" * 256, 0)


def test_continue_reaches_back_over_the_end_of_a_section() -> None:
    other = MainWriter(PAGE).part(word(PAGE, RamFlag.ZERO | RamFlag.CONTINUE) + b"\0", flush=False)
    stream = part(word(0, RamFlag.ZERO, "m") + b"\0") + other
    assert [event for event in events(stream) if isinstance(event, ZeroPage)] == [
        ZeroPage("m", 0),
        ZeroPage("m", PAGE),
    ]


def test_a_page_word_brings_the_page() -> None:
    stream = part(word(2 * PAGE, RamFlag.PAGE, "m") + CONTENT)
    assert events(stream)[2:] == [Page("m", 2 * PAGE, CONTENT), EndOfSection("iterate")]


def test_the_machine_is_known_once_the_configuration_is_read() -> None:
    reader = MainReader(PAGE)
    assert reader.machine is None
    reader.feed(HEADER + MACHINE)
    assert reader.machine == "pc"


@pytest.mark.parametrize(
    "extra",
    [
        subsection("configuration/target-page-bits", struct.pack(">I", 12)),
        subsection("configuration/uuid", bytes(16)),
        subsection("configuration/capabilities", struct.pack(">IB", 1, 9) + b"multifd-x"),
        b"\x08" + struct.pack(">HH", 11, 0),
        b"\x08" + struct.pack(">HHI", 2, 4, 1),
    ],
    ids=["target-page-bits", "uuid", "capabilities", "command without data", "command with data"],
)
def test_what_may_stand_between_configuration_and_ram_is_skipped(extra: bytes) -> None:
    stream = HEADER + MACHINE + extra + start().removeprefix(HEADER + MACHINE)
    assert events(stream) == [Blocks(BLOCKS), EndOfSection("setup")]


def test_everything_after_the_end_of_ram_is_skipped() -> None:
    reader = MainReader(PAGE)
    reader.feed(start() + MainWriter(PAGE).end(b"", flush=False))
    assert reader.feed(section(4, "timer") + b"device state") == []
    reader.finish()


def test_a_page_of_64_kib_lies_at_its_offset() -> None:
    writer, reader = MainWriter(1 << 16), MainReader(1 << 16)
    reader.feed(writer.start("virt", (("m", 4 << 16),), flush=False))
    assert reader.feed(writer.part(writer.zero_page("m", 3 << 16), flush=False)) == [
        ZeroPage("m", 3 << 16),
        EndOfSection("iterate"),
    ]


def test_all_bits_below_the_page_size_are_flags() -> None:
    reader = MainReader(1 << 16)
    reader.feed(MainWriter(1 << 16).start("virt", (("m", 4 << 16),), flush=False))
    with pytest.raises(WireError, match=r"^Unknown combination of migration flags: 0x1002$"):
        reader.feed(MainWriter(1 << 16).part(word(0x1000, RamFlag.ZERO, "m") + b"\0", flush=False))


# --- any chunking, any end ----------------------------------------------------------------------------------

zero_pages = st.lists(st.sampled_from([ZeroPage(name, at) for name, size in BLOCKS for at in range(0, size, PAGE)]))


def written(rounds: Sequence[Sequence[ZeroPage]], last: Iterable[ZeroPage], *, flush: bool) -> bytes:
    writer = MainWriter(PAGE)

    def body(pages: Iterable[ZeroPage]) -> bytes:
        return b"".join(writer.zero_page(page.block, page.offset) for page in pages)

    setup = writer.start("pc", BLOCKS, flush=flush)
    parts = [writer.part(body(pages), flush=flush) for pages in rounds]
    return b"".join((setup, *parts, writer.end(body(last), flush=flush)))


@given(rounds=st.lists(zero_pages, max_size=3), last=zero_pages, flush=st.booleans(), chunk=st.integers(1, 64))
def test_what_was_written_is_read_in_chunks_of_any_size(
    rounds: list[list[ZeroPage]], last: list[ZeroPage], flush: bool, chunk: int
) -> None:
    flushes = [Flush()] * flush
    assert events(written(rounds, last, flush=flush), chunk=chunk) == [
        *(Blocks(BLOCKS), *flushes, EndOfSection("setup")),
        *(event for pages in rounds for event in (*pages, *flushes, EndOfSection("iterate"))),
        *(*last, *flushes, EndOfSection("complete"), RamEnd()),
    ]


def test_every_prefix_is_truncated_and_nothing_else() -> None:
    page = word(0, RamFlag.PAGE | RamFlag.CONTINUE) + CONTENT
    stream = part(word(0, RamFlag.ZERO, "m") + b"\0" + page) + MainWriter(PAGE).end(b"", flush=True)
    end_of_file = 1
    for size in range(len(stream) - end_of_file):
        reader = MainReader(PAGE)
        reader.feed(stream[:size])
        with pytest.raises(TruncatedError):
            reader.finish()


@pytest.mark.parametrize(
    ("stream", "place"),
    [
        (b"", "file magic: stream ended after 0 of 4 bytes"),
        (start()[:13], "machine name: stream ended after 0 of 2 bytes"),
        (start(), "section type: stream ended after 0 of 1 bytes"),
        (start() + b"\x02\0\0", "section id: stream ended after 2 of 4 bytes"),
        (start() + b"\x02\0\0\0\x02\0\0\0", "RAM word (iterate): stream ended after 3 of 8 bytes"),
        (part(b"")[:-2], "section footer id: stream ended after 2 of 4 bytes"),
    ],
)
def test_a_truncated_stream_names_the_place(stream: bytes, place: str) -> None:
    reader = MainReader(PAGE)
    reader.feed(stream)
    with pytest.raises(TruncatedError) as caught:
        reader.finish()
    assert str(caught.value) == (f"multifd: main channel {place} (Unexpected end-of-file before all data were read)")


@given(garbage=st.binary(max_size=200))
def test_garbage_is_refused_or_awaits_more_and_nothing_else(garbage: bytes) -> None:
    reader = MainReader(PAGE)
    try:
        reader.feed(start() + garbage)
        reader.finish()
    except WireError:
        pass


# --- refusals, in QEMU's words ------------------------------------------------------------------------------

AGAIN = RamFlag.ZERO | RamFlag.CONTINUE
ZEROS = word(0, RamFlag.ZERO, "m") + b"\0" + word(PAGE, AGAIN) + b"\0"

BAD_STREAMS: dict[str, tuple[bytes, str]] = {
    "magic": (b"QEVX", "Not a migration stream"),
    "version": (struct.pack(">II", 0x5145564D, 2), "Unsupported migration stream version"),
    "no configuration": (HEADER + b"\x01", "Configuration section missing"),
    "command for a configuration": (HEADER + b"\x08", "Configuration section missing"),
    "section type": (start() + b"\x09", "Unknown savevm section type 9"),
    "description": (start() + b"\x06", "Unknown savevm section type 6"),
    "other section": (start() + b"\x02\0\0\0\x07", "Unknown savevm section 7"),
    "part before start": (HEADER + MACHINE + b"\x02\0\0\0\x02", "Unknown savevm section 2"),
    "ram version": (HEADER + MACHINE + section(1, "ram", 3), "savevm: unsupported version 3 for 'ram' v4"),
    "no footer": (start()[:-5] + b"\x02", "Missing section footer for ram"),
    "wrong footer": (
        start()[:-1] + b"\x1f",
        "Mismatched section id in footer for ram - read 0x1f expected 0x2",
    ),
    "unknown flags": (part(word(0, 0x100, "m")), "Unknown combination of migration flags: 0x100"),
    "unknown flag beside a known one": (
        part(word(0, 0x102, "m")),
        "Unknown combination of migration flags: 0x102",
    ),
    "two kinds": (part(word(0, 0x0A, "m")), "Unknown combination of migration flags: 0xa"),
    "xbzrle": (part(word(0, 0x60)), "Unknown combination of migration flags: 0x60"),
    "unknown block": (part(word(0, RamFlag.ZERO, "vga.vram") + b"\0"), "Can't find block vga.vram"),
    "continue what": (part(word(0, RamFlag.ZERO | RamFlag.CONTINUE)), "Ack, bad migration stream!"),
    "offset": (part(word(16 * PAGE, RamFlag.PAGE, "m")), "Illegal RAM offset 10000"),
    "fill": (part(word(0, RamFlag.ZERO, "m") + b"\x20"), "Found a zero page with value 32"),
    "fill after zero pages": (part(ZEROS + word(PAGE, AGAIN) + b"\x20"), "Found a zero page with value 32"),
    "offset after zero pages": (part(ZEROS + word(16 * PAGE, AGAIN) + b"\0"), "Illegal RAM offset 10000"),
    "offset far beyond after zero pages": (part(ZEROS + word(99 * PAGE, AGAIN) + b"\0"), "Illegal RAM offset 63000"),
    "flags after zero pages": (
        part(ZEROS + word(PAGE, AGAIN | 0x100) + b"\0"),
        "Unknown combination of migration flags: 0x122",
    ),
}

BAD_STREAMS_OF_OURS: dict[str, tuple[bytes, str]] = {
    "device": (
        start() + section(4, "timer"),
        "multifd: section idstr is 'timer', expected ram: only RAM may precede the end of RAM",
    ),
    "other live section": (
        start() + section(1, "dirty-bitmap"),
        "multifd: section idstr is 'dirty-bitmap', expected ram: only RAM may precede the end of RAM",
    ),
    "end of file": (
        start() + b"\0",
        "multifd: section type is 0, expected the end of RAM before the end of the stream",
    ),
    "machine": (HEADER + b"\x07\0\0\1\0", "multifd: machine name length is 256, expected at most 255"),
    "subsection": (
        HEADER + MACHINE + subsection("configuration/new", b""),
        "multifd: subsection of the configuration is 'configuration/new', expected one of"
        " configuration/target-page-bits, configuration/uuid, configuration/capabilities",
    ),
    "capability": (
        HEADER + MACHINE + subsection("configuration/capabilities", struct.pack(">IB", 1, 10) + b"mapped-ram"),
        "multifd: capability is 'mapped-ram', expected none that changes the list of RAM blocks",
    ),
    "block above total": (
        HEADER + MACHINE + section(1, "ram") + word(PAGE, 4, "m") + struct.pack(">Q", 2 * PAGE),
        "multifd: RAM block m size is 8192, expected 1 to 4096, the rest of the announced total",
    ),
    "empty block": (
        HEADER + MACHINE + section(1, "ram") + word(PAGE, 4, "m") + struct.pack(">Q", 0),
        "multifd: RAM block m size is 0, expected 1 to 4096, the rest of the announced total",
    ),
}


@pytest.mark.parametrize(("stream", "message"), BAD_STREAMS.values(), ids=BAD_STREAMS.keys())
def test_a_bad_stream_is_refused_in_qemus_words(stream: bytes, message: str) -> None:
    assert str(error(stream)) == message


@pytest.mark.parametrize(("stream", "message"), BAD_STREAMS_OF_OURS.values(), ids=BAD_STREAMS_OF_OURS.keys())
def test_what_only_we_refuse_names_the_field_the_value_and_what_was_expected(stream: bytes, message: str) -> None:
    assert str(error(stream)) == message


@pytest.mark.parametrize(
    ("name", "field", "value", "expected"),
    [
        ("magic", "file magic", 0x51455658, 0x5145564D),
        ("version", "file version", 2, 3),
        ("no configuration", "section type", 1, 7),
        ("section type", "section type", 9, "1-4 or 8"),
        ("other section", "section id", 7, 2),
        ("ram version", "section version", 3, 4),
        ("no footer", "section footer", 2, 0x7E),
        ("wrong footer", "section footer id", 31, 2),
        ("unknown flags", "RAM flags", 0x100, "one of 0x2, 0x4, 0x8, 0x10, 0x200"),
        ("unknown block", "RAM block name", "vga.vram", "a name of the MEM_SIZE list"),
        ("continue what", "RAM flags", 0x22, "a block name before CONTINUE"),
        ("offset", "RAM offset", 16 * PAGE, f"below {16 * PAGE}"),
        ("fill", "zero page fill", 32, 0),
    ],
)
def test_programs_are_told_the_field_its_value_and_what_was_expected(
    name: str, field: str, value: object, expected: object
) -> None:
    refusal = error(BAD_STREAMS[name][0])

    assert (refusal.field, refusal.value, refusal.expected) == (field, value, expected)


def test_a_receiver_before_the_flush_word_refuses_it() -> None:
    refusal = error(start(flush=True), flush_word=False)
    assert str(refusal) == "Unknown combination of migration flags: 0x200"
    assert (refusal.field, refusal.value) == ("RAM flags", 0x200)
    assert refusal.expected == "one of 0x2, 0x4, 0x8, 0x10"


# --- states -------------------------------------------------------------------------------------------------


def test_a_reader_is_where_its_sections_have_led_it() -> None:
    reader = MainReader(PAGE)
    seen = [reader.state]
    for data in (HEADER, MACHINE + b"\x01", start().removeprefix(HEADER + MACHINE + b"\x01")):
        reader.feed(data)
        seen.append(reader.state)
    reader.feed(MainWriter(PAGE).end(b"", flush=False)[:-1])
    seen.append(reader.state)
    reader.finish()

    assert [*seen, reader.state] == [
        *(MainState.HEADER, MainState.HEADER, MainState.SECTIONS, MainState.SECTIONS),
        *(MainState.ENDED, MainState.CLOSED),
    ]


def test_an_error_is_final() -> None:
    reader = MainReader(PAGE)
    with pytest.raises(WireError) as first:
        reader.feed(b"QEVX")
    with pytest.raises(WireError) as second:
        reader.feed(start())
    with pytest.raises(WireError) as third:
        reader.finish()

    assert first.value is second.value is third.value
    assert reader.state is MainState.ERROR


def test_a_stream_that_was_cut_is_such_an_error() -> None:
    reader = MainReader(PAGE)
    with pytest.raises(TruncatedError) as first:
        reader.finish()
    with pytest.raises(TruncatedError) as second:
        reader.feed(start())

    assert first.value is second.value
    assert reader.state is MainState.ERROR


def test_nothing_comes_after_the_end_of_the_stream() -> None:
    reader = MainReader(PAGE)
    reader.feed(start() + MainWriter(PAGE).end(b"", flush=False))
    reader.finish()

    with pytest.raises(HarnessError, match=r"^the stream has ended before$"):
        reader.feed(b"")
    with pytest.raises(HarnessError, match=r"^the end of the stream cannot happen in state CLOSED$"):
        reader.finish()


def test_every_state_has_its_row() -> None:
    assert set(MAIN_TRANSITIONS) == set(MainState)
