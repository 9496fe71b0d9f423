"""``multifd replay``: which captures are identical, and the words in which every other one is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.codec import create
from multifd.errors import EnvironmentBroke
from multifd.memory.image import GuestMemory
from multifd.memory.rounds import load
from multifd.migrate.apply import Destination, Reception
from multifd.migrate.capture import Capture
from multifd.migrate.replay import Replay
from multifd.migrate.stream import FileSink
from multifd.migrate.transmit import Transmission, Transmitter
from multifd.wire.dialect import FLAG_SYNC, MainSync, ZeroPages
from multifd.wire.packet import (
    INIT_SIZE,
    OFFSETS_AT,
    DeviceStateHeader,
    RamHeader,
    header_size,
    pack_device_state,
)
from tests.cli.command import Answer, multifd, process
from tests.migrate.recording import CHANNELS, FAMILIES, PAGE_SIZE, Family, borders, lost, packets, record, script

HERE: Final = Path(__file__).resolve().parents[1] / "captures"
ZLIB: Final = HERE / "qemu-7.2-zlib"
ZSTD: Final = HERE / "qemu-10.0-zstd"
GUEST: Final = "4153defe90a32257798d3a689bc938af25ac067e2893b54677180c020f6fc920"
"""SHA-256 of the 16 MiB that both guests had."""

FIRST: Final = " (channel 0, packet 2, RAM block m, byte 2752; found zlib without end: 7801c4dde3a36cd9…0000ffff)"
"""Where the first payload of that recording is."""

DEVICE_STATE_FLAG: Final = 64
FILES: Final = ("main.bin", "channel-0.bin", "channel-1.bin")
REFUSAL: Final = re.compile(
    r"multifd: (init packet|packet header|packet payload|main channel [^:]+): stream ended after \d+ of \d+ bytes"
    r" \(Unexpected end-of-file before all data were read\)"
    r"|multifd: SYNC is '.+', expected .+"
    r"|multifd: main channel end is '[0-9a-f ]*', expected 7e, 4 bytes and 00: .+"
)
"""What the end of a file that came too early is called: the field, what was there, and what was expected."""


def outcome(capture: Path, *options: str) -> dict[str, Any]:
    """The result of a replay; the exit code belongs to it."""
    answer = multifd("replay", capture, "--json", *options)
    result: dict[str, Any] = json.loads(answer.out)
    assert answer.code == {"identical": 0, "different": 1, "not compared": 1, "unreadable": 2}[result["outcome"]]
    return result


def rejected(capture: Path, *options: str) -> str:
    """Why a capture is refused: one line on stderr, exit 2."""
    answer = multifd("replay", capture, *options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    return answer.err.removeprefix("multifd: ").rstrip("\n")


# Captures of real QEMU


@pytest.mark.parametrize(
    ("capture", "decoder"),
    [(ZLIB, "zlib"), (ZLIB, "zlib-ng"), (ZLIB, "isal"), (ZSTD, "zstd")],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_what_qemu_sent_is_identical_with_every_decoder_that_can_read_it(capture: Path, decoder: str) -> None:
    result = outcome(capture, "--decoder", decoder)

    assert (result["outcome"], result["compared"], result["sha256"]["m"]) == ("identical", ["m"], GUEST)


@pytest.mark.parametrize(
    ("capture", "decoder", "error"),
    [
        (ZLIB, "zlib[window=12]", f"zlib[window=12]: Error -3 while decompressing data: invalid window size{FIRST}"),
        (ZLIB, "libdeflate", f"libdeflate: Decompression failed{FIRST}"),
        (ZLIB, "zstd", "zstd cannot read container zlib"),
        (ZLIB, "none", "none cannot read container zlib"),
        (ZSTD, "zlib", "zlib cannot read container zstd"),
        (ZSTD, "libdeflate", "libdeflate cannot read container zstd"),
        (ZSTD, "none", "none cannot read container zstd"),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else None,
)
def test_what_qemu_sent_is_refused_by_a_decoder_that_cannot_read_it(capture: Path, decoder: str, error: str) -> None:
    result = outcome(capture, "--decoder", decoder)

    assert (result["outcome"], result["error"]) == ("unreadable", error)


def test_a_decoder_is_chosen_by_the_framing() -> None:
    assert (outcome(ZLIB)["decoder"], outcome(ZSTD)["decoder"]) == ("zlib", "zstd")


def test_a_person_reads_one_line() -> None:
    answer = process("replay", ZLIB, "--decoder", "isal")

    assert answer == Answer(0, "identical: 4 packets decoded by isal as qemu-5.0; compared m\n", "")


def test_a_refusal_is_one_line_too() -> None:
    answer = process("replay", ZLIB, "--decoder", "none")

    line = "cannot be read, decoded by none as qemu-5.0: none cannot read container zlib\n"
    assert answer == Answer(2, line, "")


def test_json_has_the_field_of_a_wire_error() -> None:
    result = outcome(ZSTD, "--dialect", "qemu-5.0")

    assert (result["field"], result["value"], result["expected"]) == ("RAM flags", 0x200, "one of 0x2, 0x4, 0x8, 0x10")
    assert result["error"] == "Unknown combination of migration flags: 0x200"


def test_memory_that_differs_is_named(tmp_path: Path) -> None:
    capture = shutil.copytree(ZLIB, tmp_path / "capture")
    manifest = json.loads((capture / "manifest.json").read_text())
    manifest["sha256"]["m"] = "0" * 64
    (capture / "manifest.json").write_text(json.dumps(manifest))

    answer = multifd("replay", capture)

    assert answer == Answer(1, "different: 4 packets decoded by zlib as qemu-5.0; memory of m is wrong\n", "")


# Small captures of our own


@pytest.fixture(scope="module", params=FAMILIES, ids=str)
def capture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Three dirty rounds in a framing of each family."""
    directory = tmp_path_factory.mktemp("capture")
    return record(directory / "capture", request.param, script(directory / "script"))


def codec(capture: Capture) -> str:
    """Who encoded it can decode it."""
    return next(family.codec for family in FAMILIES if family.framing == capture.framing.name)


def replayed(capture: Capture) -> dict[str, Any]:
    """Replay with the codec that encoded it."""
    return outcome(capture.directory, "--decoder", codec(capture))


class Damaged:
    """A file of a capture with other content, as it was again afterwards."""

    def __init__(self, path: Path, content: bytes | bytearray) -> None:
        self._path = path
        self._whole = path.read_bytes()
        self._content = content

    def __enter__(self) -> None:
        self._path.write_bytes(self._content)

    def __exit__(self, *_: object) -> None:
        self._path.write_bytes(self._whole)


def cut(path: Path, size: int) -> Damaged:
    """Only the first ``size`` bytes are left."""
    return Damaged(path, path.read_bytes()[:size])


def test_a_capture_of_our_own_is_identical(capture: Capture) -> None:
    result = replayed(capture)

    assert (result["outcome"], result["different"]) == ("identical", [])
    assert result["compared"] == ["pc.ram", "vga.vram"]


@pytest.mark.parametrize("channel", range(CHANNELS))
def test_a_channel_that_ends_at_any_border_is_refused_unless_nothing_is_lost(capture: Capture, channel: int) -> None:
    path = capture.channel_path(channel)
    size = path.stat().st_size
    places = {border + shift for border in borders(capture, channel) for shift in (-1, 0, 1)} | {size - 1}

    for place in sorted(places & set(range(size))):
        missing = lost(capture, channel, place)
        with cut(path, place):
            result = replayed(capture)

        if missing == "whole":
            assert result["outcome"] == "identical", place
        else:
            assert result["outcome"] == "unreadable", place
            assert REFUSAL.fullmatch(result["error"]), (place, result["error"])


def test_a_main_channel_that_ends_anywhere_before_its_end_is_refused(capture: Capture) -> None:
    path = capture.directory / "main.bin"

    for place in range(path.stat().st_size):
        with cut(path, place):
            result = replayed(capture)

        assert result["outcome"] == "unreadable", place
        assert result["field"].startswith("main channel "), place
        assert REFUSAL.fullmatch(result["error"]), result["error"]


DESCRIPTION: Final = b'\x06\x00\x00\x00\x13{"page_size": 4096}'
"""Of the device state, as machine types send it unless it is suppressed."""


def test_a_main_channel_may_end_with_a_description(capture: Capture) -> None:
    path = capture.directory / "main.bin"

    with Damaged(path, path.read_bytes() + DESCRIPTION):
        assert replayed(capture)["outcome"] == "identical"


@pytest.mark.parametrize("size", [7, len(DESCRIPTION) - 1])
def test_a_description_that_is_cut_is_refused(size: int, capture: Capture) -> None:
    path = capture.directory / "main.bin"

    with Damaged(path, path.read_bytes() + DESCRIPTION[:size]):
        assert replayed(capture)["field"] == "main channel end"


END_OF_RAM: Final = {ZLIB: 37462, ZSTD: 257}
"""Bytes of the main channel before the first section of a device."""


@pytest.mark.parametrize("sent", END_OF_RAM, ids=lambda path: path.name)
@settings(max_examples=10)
@given(data=st.data())
def test_what_qemu_sent_is_refused_without_the_end_of_its_device_state(sent: Path, data: st.DataObject) -> None:
    with TemporaryDirectory() as scratch:
        damaged = shutil.copytree(sent, Path(scratch) / "capture")
        main = (damaged / "main.bin").read_bytes()
        (damaged / "main.bin").write_bytes(main[: data.draw(st.integers(END_OF_RAM[sent], len(main) - 1))])

        assert outcome(damaged)["field"] == "main channel end"


def test_where_the_main_channel_stopped_is_said(tmp_path: Path) -> None:
    damaged = shutil.copytree(ZSTD, tmp_path / "capture")
    with cut(damaged / "main.bin", 300):
        result = outcome(damaged)

    assert result["error"] == (
        "multifd: main channel end is '00 00 00 00 00 00', expected 7e, 4 bytes and 00:"
        " the last section's footer and EOF, or a whole description after these"
    )


@settings(max_examples=60)
@given(st.sampled_from(FILES), st.floats(0, 1, exclude_max=True))
def test_a_file_that_ends_anywhere_is_refused_in_words_or_lost_nothing(
    capture: Capture, name: str, share: float
) -> None:
    path = capture.directory / name

    with cut(path, int(share * path.stat().st_size)):
        result = replayed(capture)

    assert result["outcome"] == "identical" or REFUSAL.fullmatch(result["error"])


@settings(max_examples=60)
@given(st.sampled_from(FILES), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_file_with_any_other_byte_ends_in_an_outcome(capture: Capture, name: str, share: float, bits: int) -> None:
    path = capture.directory / name
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= bits

    with Damaged(path, content):
        result = replayed(capture)

    assert result["outcome"] != "unreadable" or result["error"]


@settings(max_examples=20)
@given(st.sampled_from(FILES), st.binary(max_size=2000))
def test_a_file_of_any_other_content_ends_in_an_outcome(capture: Capture, name: str, content: bytes) -> None:
    with Damaged(capture.directory / name, content):
        result = replayed(capture)

    assert result["outcome"] == "unreadable"


def test_without_a_main_channel_the_syncs_of_the_channels_are_enough(tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", Family("zstd", "zstd", "qemu-10.0"), script(tmp_path / "script"))
    (capture.directory / "main.bin").unlink()

    assert replayed(capture)["outcome"] == "identical"


def test_without_a_main_channel_every_channel_must_have_the_syncs_of_the_others(tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", Family("zstd", "zstd", "qemu-10.0"), script(tmp_path / "script"))
    (capture.directory / "main.bin").unlink()
    last = packets(capture, 1)[-1]

    with cut(capture.channel_path(1), last.at):
        result = replayed(capture)

    assert (
        result["error"] == "multifd: SYNC is 'none on channels [1]', expected one on every channel, for others have it"
    )


def with_state(capture: Capture, channel: int, at: int, size: int) -> bytes:
    """A channel into which a device's state has come between two packets."""
    content = capture.channel_path(channel).read_bytes()
    state = pack_device_state(DeviceStateHeader(DEVICE_STATE_FLAG, "0000:00:02.0/vfio", 7, size)) + b"\xa5" * size
    return content[:at] + state + content[at:]


@pytest.mark.parametrize("size", [0, 1, 5000, 1 << 20])
def test_device_state_between_any_two_packets_is_skipped(size: int, tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", FAMILIES[-1], script(tmp_path / "script"))

    for channel in range(CHANNELS):
        path = capture.channel_path(channel)
        for at in [*(packet.at for packet in packets(capture, channel)), path.stat().st_size]:
            with Damaged(path, with_state(capture, channel, at, size)):
                assert replayed(capture)["outcome"] == "identical"


def test_device_state_that_is_cut_is_refused(tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", FAMILIES[-1], script(tmp_path / "script"))
    path = capture.channel_path(0)
    whole = with_state(capture, 0, path.stat().st_size, 5000)

    with Damaged(path, whole[:-1]):
        result = replayed(capture)

    assert result["error"] == (
        "multifd: packet payload: stream ended after 4999 of 5000 bytes"
        " (Unexpected end-of-file before all data were read)"
    )


def test_a_main_channel_that_is_none_is_called_so(capture: Capture) -> None:
    with Damaged(capture.directory / "main.bin", b"GIF89a: not a migration"):
        result = replayed(capture)

    assert (result["field"], result["error"]) == ("file magic", "Not a migration stream")


def test_a_main_channel_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    main = shutil.copytree(ZLIB, tmp_path / "capture") / "main.bin"
    main.unlink()
    main.symlink_to("gone")

    assert outcome(main.parent)["error"] == f"{main}: cannot read: No such file or directory"


def test_channels_in_each_others_files_are_refused(tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", FAMILIES[1], script(tmp_path / "script"))
    first, second = capture.channel_paths()
    first.rename(tmp_path / "first")
    second.rename(first)
    (tmp_path / "first").rename(second)

    result = replayed(capture)

    assert result["error"] == "multifd: channel id is 1, expected 0, as the file's name says"


# Bytes of a header that no receiver looks at: where, and why

UNSEEN_INIT: Final = {range(25, 64): "unused1 and unused2 (MultiFDInit_t) are padding"}
UNSEEN_HEADER: Final = {
    range(8, 11): "flags outside the dialect's mask are not looked at",
    range(24, 32): "packet_num is only traced",
    range(36, 64): "unused64 (MultiFDPacket_t) is reserved",
}
UNSEEN_OLD_ZERO: Final = range(32, 36)
"""``zero_pages`` was reserved before QEMU 9.0."""
UNSEEN_RAW_SIZE: Final = range(20, 24)
"""``none`` reads as many bytes as its pages have, whatever ``next_packet_size`` says."""
LOW_BYTES: Final = {
    15: "pages_alloc: any number from that of the pages to that of the slots will do",
    35: "zero_pages: one less is zero already, and one more is the unfilled slot of page 0, whose content follows",
}
"""Bytes with another value that means the same memory."""

ONE_OF_EACH_HEADER: Final = (FAMILIES[0], FAMILIES[1], FAMILIES[-1])
"""Raw pages in an old dialect, a payload with a size in the same, and the newest dialect."""


@pytest.fixture(scope="module", params=ONE_OF_EACH_HEADER, ids=str)
def single(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """One round, so that nothing that goes wrong is mended by a later one."""
    directory = tmp_path_factory.mktemp("single")
    return record(directory / "capture", request.param, script(directory / "script", "single"))


def identical_despite(capture: Capture, channel: int, place: int) -> bool:
    """Memory is identical although this byte of a channel is another: each of three others."""
    path = capture.channel_path(channel)
    content = bytearray(path.read_bytes())
    right = content[place]
    outcomes = set()
    for wrong in {right ^ 0x01, right ^ 0x80, right ^ 0xFF}:
        content[place] = wrong
        with Damaged(path, content):
            outcomes.add(replayed(capture)["outcome"])
    return "identical" in outcomes


def first_with_pages(capture: Capture) -> tuple[int, int, RamHeader]:
    """Channel, place and header of the first packet that has a payload."""
    return next(
        (channel, packet.at, packet.header)
        for channel in range(CHANNELS)
        for packet in packets(capture, channel)
        if isinstance(packet.header, RamHeader) and packet.header.normal_pages
    )


def test_every_byte_of_the_init_packet_matters_but_its_padding(tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", FAMILIES[-1], script(tmp_path / "script", "single"))

    unseen = {place for place in range(INIT_SIZE) if identical_despite(capture, 0, place)}

    assert unseen == {place for places in UNSEEN_INIT for place in places}


def test_every_byte_of_a_header_matters_but_those_that_no_receiver_looks_at(single: Capture) -> None:
    channel, at, header = first_with_pages(single)
    name_ends = 64 + len(header.ramblock)
    old = single.dialect.name == "qemu-5.0"
    used = OFFSETS_AT + 8 * (header.normal_pages + (0 if old else header.zero_pages))
    expected = {place for places in UNSEEN_HEADER for place in places} | {*LOW_BYTES}
    expected |= {*range(name_ends + 1, OFFSETS_AT)}  # a name ends at its first zero byte
    expected |= {*UNSEEN_OLD_ZERO} if old else set()
    expected |= {*UNSEEN_RAW_SIZE} if single.framing.raw_pages else set()

    places = [*range(11), *range(12, used)]  # without the low flags, which have a test of their own
    unseen = {place for place in places if identical_despite(single, channel, at + place)}

    assert unseen == expected


def test_of_the_low_flags_every_bit_matters_that_the_dialect_knows(single: Capture) -> None:
    channel, at, header = first_with_pages(single)
    dialect = single.dialect
    known = dialect.mask | FLAG_SYNC | (dialect.device_state or 0)
    path = single.channel_path(channel)
    content = bytearray(path.read_bytes())

    unseen = set()
    for flags in range(256):
        content[at + 11] = flags
        with Damaged(path, content):
            if replayed(single)["outcome"] == "identical":
                unseen.add(flags)

    assert unseen == {flags for flags in range(256) if flags & known == header.flags & known}


def test_slots_that_nobody_filled_do_not_matter(single: Capture) -> None:
    channel, at, header = first_with_pages(single)
    path = single.channel_path(channel)
    content = bytearray(path.read_bytes())
    used = 8 * (header.normal_pages + header.zero_pages)
    unfilled = slice(at + OFFSETS_AT + used, at + header_size(PAGE_SIZE))
    content[unfilled] = b"\xff" * len(content[unfilled])

    with Damaged(path, content):
        result = replayed(single)

    assert result["outcome"] == "identical"


# Manifests

GOOD: Final = {
    "format": "multifd-capture/1",
    "page_size": 4096,
    "method": "none",
    "dialect": "qemu-10.0",
    "channels": 1,
    "ramblocks": {"pc.ram": 4096},
    "sha256": {"pc.ram": "ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7"},
}
"""One page of zeros, sent by nobody: a channel without a packet."""

INIT: Final = bytes.fromhex("1122334400000001") + bytes(56)
METHODS: Final = "none, zlib, zstd, qpl, uadk, qatzip"
DIALECTS: Final = "qemu-5.0, rfc-2023, qemu-9.0, qemu-9.1, qemu-9.2, qemu-10.0"


def written(directory: Path, content: str) -> Path:
    """A capture of one channel without packets, with this manifest."""
    (directory / "channel-0.bin").write_bytes(INIT)
    (directory / "manifest.json").write_text(content, encoding="utf-8")
    return directory


def changed(directory: Path, **changes: Any) -> Path:
    """The same with a manifest that is good but for these fields; None takes a field out."""
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return written(directory, json.dumps(fields))


def test_a_good_manifest_is_accepted(tmp_path: Path) -> None:
    assert outcome(changed(tmp_path))["outcome"] == "identical"


def test_a_block_without_a_digest_is_not_compared(tmp_path: Path) -> None:
    result = outcome(changed(tmp_path, ramblocks={"pc.ram": 4096, "vga": 4096}))

    assert (result["outcome"], result["compared"]) == ("identical", ["pc.ram"])


def test_nothing_is_called_identical_without_a_digest(tmp_path: Path) -> None:
    answer = multifd("replay", changed(tmp_path, sha256={}))

    line = "not compared: 0 packets decoded by none as qemu-10.0; sha256 of the manifest has no digest\n"
    assert answer == Answer(1, line, "")


def test_a_replay_that_compared_nothing_says_so_to_programs(tmp_path: Path) -> None:
    result = outcome(changed(tmp_path, sha256={}))

    assert (result["outcome"], result["compared"], result["different"]) == ("not compared", [], [])


def test_a_directory_without_a_manifest_is_no_capture(tmp_path: Path) -> None:
    error = rejected(tmp_path)

    assert error == f"{tmp_path}/manifest.json: cannot read: No such file or directory; expected a capture directory"


def test_a_file_is_a_bundle_or_no_capture() -> None:
    error = rejected(Path(__file__))

    assert error.startswith(f"{__file__}: cannot be read as a bundle (gzip, tar): not a gzip file; expected")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("not JSON", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "is nested too deep"),
        ("[]", "(whole): Input should be an object"),
        ('{"format": "multifd-capture/1"', "is not JSON: Expecting ',' delimiter: line 1 column 31 (char 30)"),
        ('{"ramblocks": {"m": 1, "m": 2}}', "$.ramblocks: key 'm' is there twice"),
        ('{"packets": NaN}', "is not JSON: NaN is no number"),
        (" " * (1 << 20) + "{}", "has more than 1024 KiB"),
    ],
    ids=["empty", "words", "deep", "list", "cut", "twice", "no-number", "long"],
)
def test_a_manifest_that_is_no_json_object_is_refused(text: str, error: str, tmp_path: Path) -> None:
    assert rejected(written(tmp_path, text)).startswith(f"{tmp_path}/manifest.json: {error}")


def test_a_manifest_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe")

    assert rejected(tmp_path) == f"{tmp_path}/manifest.json: is not UTF-8 text"


def test_a_manifest_that_ends_anywhere_is_refused(tmp_path: Path) -> None:
    whole = (changed(tmp_path) / "manifest.json").read_text()

    for size in range(len(whole)):
        assert "manifest.json: is not JSON: " in rejected(written(tmp_path, whole[:size])), size


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"format": "multifd-capture/2"}, "format: Input should be 'multifd-capture/1' (given: \"multifd-capture/2\")"),
        ({"colour": "red"}, 'colour: Extra inputs are not permitted (given: "red")'),
        ({"channels": None}, "channels: Field required"),
        ({"channels": "two"}, 'channels: Input should be a valid integer (given: "two")'),
        ({"channels": True}, "channels: Input should be a valid integer (given: true)"),
        ({"channels": 1.0}, "channels: Input should be a valid integer (given: 1.0)"),
        ({"channels": 0}, "channels: Input should be greater than or equal to 1 (given: 0)"),
        ({"channels": -1}, "channels: Input should be greater than or equal to 1 (given: -1)"),
        ({"channels": 256}, "channels: Input should be less than or equal to 255 (given: 256)"),
        ({"page_size": 8192}, "page_size: Input should be 4096, 16384 or 65536 (given: 8192)"),
        ({"main_sync": "both"}, "main_sync: Input should be 'eos' or 'flush' (given: \"both\")"),
        ({"ramblocks": {}}, "ramblocks: Dictionary should have at least 1 item after validation, not 0 (given: {})"),
        ({"ramblocks": 4096}, "ramblocks: Input should be an object (given: 4096)"),
        ({"ramblocks": {"pc.ram": -4096}}, "ramblocks.pc.ram: Input should be greater than 0 (given: -4096)"),
        ({"ramblocks": {"pc.ram": 0}}, "ramblocks.pc.ram: Input should be greater than 0 (given: 0)"),
        (
            {"ramblocks": {"pc.ram": 1 << 60}},
            "ramblocks.pc.ram: Input should be less than or equal to 4503599627370496",
        ),
        (
            {"ramblocks": {f"dimm{number}": 4096 for number in range(257)}},
            "ramblocks: Dictionary should have at most 256 items after validation, not more",
        ),
        ({"ramblocks": {"": 4096}}, "ramblocks..[key]: String should have at least 1 character"),
        ({"ramblocks": {"x" * 256: 4096}}, f"ramblocks.{'x' * 256}.[key]: String should have at most 255 characters"),
        (
            {"ramblocks": {"pc.ram": 5000}},
            "(whole): Value error, ramblocks.pc.ram is 5000, expected a multiple of the page size 4096",
        ),
        ({"sha256": {"pc.ram": "ad7f"}}, "sha256.pc.ram: String should match pattern '^[0-9a-f]{64}\\z'"),
        (
            {"sha256": {"vga": "0" * 64}},
            "(whole): Value error, sha256 has RAM block 'vga', expected one of pc.ram",
        ),
        ({"framing": "none"}, "(whole): Value error, exactly one of method and framing is expected"),
        ({"method": None}, "(whole): Value error, exactly one of method and framing is expected"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_wrong_field_is_named_with_its_value(changes: dict[str, Any], error: str, tmp_path: Path) -> None:
    assert rejected(changed(tmp_path, **changes)).startswith(f"{tmp_path}/manifest.json: {error}")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dialect": "qemu-4.0"}, f"dialect 'qemu-4.0' is unknown; expected one of {DIALECTS}"),
        ({"method": "lz4"}, f"framing 'lz4' is unknown; expected one of {METHODS}, "),
        ({"method": None, "framing": "lz4"}, f"framing 'lz4' is unknown; expected one of {METHODS}, "),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(changes: dict[str, Any], error: str, tmp_path: Path) -> None:
    assert rejected(changed(tmp_path, **changes)).startswith(error)


def test_a_pipe_that_nobody_writes_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(changed(tmp_path) / "main.bin")

    assert outcome(tmp_path)["error"] == f"{tmp_path}/main.bin: is no file, expected one"


def test_a_block_that_is_a_hole_costs_no_memory(tmp_path: Path) -> None:
    capture = Capture.open(changed(tmp_path, ramblocks={"pc.ram": 4096, "dimm0": 1 << 30}))
    reception = Reception(capture.framing, capture.dialect, capture.main_sync, 1)
    with GuestMemory.create(tmp_path / "memory", capture.manifest.ramblocks, 4096) as memory:
        Replay(capture, reception, create("none"), destination := Destination(memory)).run()
        destination.zero("dimm0", np.arange(1 << 18, dtype=np.uint64))

        assert [Path(block.path).stat().st_blocks for block in memory.layout.blocks] == [0, 0]


def test_more_channels_than_files_are_refused(tmp_path: Path) -> None:
    error = rejected(changed(tmp_path, channels=3))

    assert error == f"{tmp_path}: channels is 3, but there is no channel-1.bin, channel-2.bin"


@pytest.mark.parametrize("command", ["replay", "dissect"])
def test_fewer_channels_than_files_are_refused(command: str, tmp_path: Path) -> None:
    capture = shutil.copytree(ZLIB, tmp_path / "capture")
    manifest = json.loads((capture / "manifest.json").read_text())
    (capture / "manifest.json").write_text(json.dumps(manifest | {"channels": 1}))

    answer = multifd(command, capture)

    reason = "channels is 1, but there is channel-1.bin; expected none after channel-0.bin"
    assert answer == Answer(2, "", f"multifd: {capture}/manifest.json: {reason}\n")


def test_several_wrong_fields_are_named_in_one_line(tmp_path: Path) -> None:
    error = rejected(changed(tmp_path, channels=0, page_size=1))

    assert re.search(r"page_size: .+; channels: ", error)


@pytest.mark.parametrize("size", [(64 << 30) + 4096, 1 << 52])
def test_memory_that_no_host_has_is_refused_before_it_is_made(size: int, tmp_path: Path) -> None:
    result = outcome(changed(tmp_path, ramblocks={"pc.ram": size}))

    assert result["error"] == f"ramblocks: {size} bytes in all, expected at most {64 << 30}"


def test_a_method_that_the_dialect_lacks_is_refused(tmp_path: Path) -> None:
    result = outcome(changed(tmp_path, method="qatzip", dialect="qemu-9.0"))

    assert result["error"] == "method 'qatzip' does not exist in dialect qemu-9.0; expected one of none, zlib, zstd"


# The mark of a SYNC on the main channel


def newer_with_machine(mark: MainSync, directory: Path) -> Path:
    """What a QEMU of today sends under a machine type of its own or, marked by EOS, of 7.2; the manifest is silent."""
    capture = record(directory / "capture", Family("zlib", "zlib", "qemu-10.0"), script(directory / "script"))
    legacy = ZeroPages.MAIN if mark is MainSync.EOS else ZeroPages.PACKET
    transmission = Transmission(capture.framing, capture.dialect, legacy, mark, CHANNELS)
    with ExitStack() as stack:
        main, *channels = (
            stack.enter_context(closing(FileSink(path)))
            for path in (capture.directory / "main.bin", *capture.channel_paths())
        )
        Transmitter(load(directory / "script"), transmission, create("zlib"), main, channels).run()
    return capture.directory


@pytest.mark.parametrize("mark", MainSync)
def test_a_recording_needs_no_word_of_the_machine_type_it_was_made_with(mark: MainSync, tmp_path: Path) -> None:
    capture = newer_with_machine(mark, tmp_path)

    assert "main_sync" not in json.loads((capture / "manifest.json").read_text())
    assert outcome(capture)["outcome"] == "identical"


@pytest.mark.parametrize("mark", MainSync)
def test_nor_does_one_without_a_main_channel(mark: MainSync, tmp_path: Path) -> None:
    capture = newer_with_machine(mark, tmp_path)
    (capture / "main.bin").unlink()

    error = outcome(capture).get("error")

    assert error is None


@pytest.mark.parametrize(
    ("mark", "told", "seen"),
    [
        (
            MainSync.EOS,
            "flush",
            "main_sync is flush, expected eos: the first section of main.bin ends without the word 0x200",
        ),
        (MainSync.FLUSH, "eos", "main_sync is eos, expected flush: the first section of main.bin has the word 0x200"),
    ],
)
def test_a_manifest_that_says_otherwise_is_refused(mark: MainSync, told: str, seen: str, tmp_path: Path) -> None:
    capture = newer_with_machine(mark, tmp_path)
    manifest = json.loads((capture / "manifest.json").read_text())
    (capture / "manifest.json").write_text(json.dumps(manifest | {"main_sync": told}))

    assert outcome(capture)["error"] == f"{capture}/manifest.json: {seen}"


# Where it is wrong


def test_a_payload_that_cannot_be_read_is_told_field_by_field() -> None:
    result = outcome(ZLIB, "--decoder", "libdeflate")

    found = "zlib without end: 7801c4dde3a36cd9…0000ffff"
    assert {key: result[key] for key in ("field", "value", "expected")} == {
        "field": "payload",
        "value": found,
        "expected": "zlib (container zlib, one stream per channel, flush sync-packet, window 32768)",
    }
    assert {key: result[key] for key in ("channel", "packet", "block", "offset", "found")} == {
        "channel": 0,
        "packet": 2,
        "block": "m",
        "offset": INIT_SIZE + 2 * header_size(PAGE_SIZE),
        "found": found,
    }


def test_a_packet_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    capture = shutil.copytree(ZLIB, tmp_path / "capture")
    channel = bytearray((capture / "channel-1.bin").read_bytes())
    at = INIT_SIZE + header_size(PAGE_SIZE)
    channel[at] ^= 1
    (capture / "channel-1.bin").write_bytes(channel)

    result = outcome(capture)

    assert (result["field"], result["channel"], result["offset"]) == ("magic", 1, at)


# Options


def test_an_unknown_dialect_is_refused() -> None:
    assert rejected(ZLIB, "--dialect", "qemu-4.0") == f"dialect 'qemu-4.0' is unknown; expected one of {DIALECTS}"


@pytest.mark.parametrize(
    ("decoder", "error"),
    [
        ("lz4", "codec 'lz4' is unknown; expected one of "),
        ("zlib[", "codec 'zlib[': expected a name with parameters in brackets, such as zlib[level=6]"),
        ("zlib[level=10]", "codec zlib: level is 10; expected 0 to 9"),
    ],
)
def test_a_decoder_that_is_wrong_is_refused(decoder: str, error: str) -> None:
    assert outcome(ZLIB, "--decoder", decoder)["error"].startswith(error)


# The host


def test_a_host_without_room_is_no_fault_of_the_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(need: int) -> Path:
        raise EnvironmentBroke(f"no scratch space: {need >> 20} MiB are needed")

    monkeypatch.setattr("multifd.cli.captures.make_scratch", no_room)

    assert multifd("replay", ZSTD) == Answer(3, "", "multifd: no scratch space: 1 MiB are needed\n")


def test_a_replay_leaves_no_scratch_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    monkeypatch.setattr("multifd.cli.captures.make_scratch", lambda need: scratch)

    multifd("replay", ZLIB, "--decoder", "libdeflate")

    assert not scratch.exists()
