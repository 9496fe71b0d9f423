"""``multifd dissect``: the packets of a capture, line by line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.migrate.capture import Capture
from multifd.wire.packet import DeviceStateHeader, pack_device_state
from tests.cli.command import ROOT, multifd
from tests.migrate.recording import Family, record, script

ZLIB: Final = ROOT / "tests/captures/qemu-7.2-zlib"

QEMU_7_2: Final = """\
 zlib in qemu-5.0, 2 channels, pages of 4096, from QEMU 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)
ch 0   @64        #0     0x0001 SYNC
ch 0   @1408      #2     0x0002 zlib, 42 pages [4, 6, 8, …] of m, payload 50020 bytes 7801c4dde3a36cd9…
ch 0   @52772     #6     0x0001 SYNC (stale size 50020)
ch 0   @54116     #8     0x0001 SYNC (stale size 50020)
ch 1   @64        #1     0x0001 SYNC
ch 1   @1408      #3     0x0002 zlib, 1 pages [0] of /rom@etc/acpi/tables, payload 1908 bytes 7801ec174d6f1bc7…
ch 1   @4660      #4     0x0002 zlib, 1 pages [0] of /rom@etc/table-loader, payload 223 bytes 02a588d49264fdc4…
ch 1   @6227      #7     0x0003 SYNC zlib, 1 pages [0] of /rom@etc/acpi/rsdp, payload 62 bytes ecd9b10900300804…
ch 1   @7633      #7     0x0000 empty (stale size 62)
ch 1   @8977      #9     0x0001 SYNC (stale size 62)
"""
"""The whole of it, without the directory's name."""

OURS: Final = """\
 none in qemu-10.0, 2 channels, pages of 4096, from none
ch 0   @64        #0     0x0001 SYNC
ch 0   @1408      #2     0x0000 none, 10 pages [0-9] of pc.ram, payload 40960 bytes 7468652068656164…
ch 0   @43712     #3     0x0001 SYNC
ch 1   @64        #1     0x0001 SYNC
ch 1   @1408      #4     0x0000 none, 6 pages [0-5] of vga.vram, payload 24576 bytes 2062792074686520…
ch 1   @27328     #5     0x0001 SYNC
"""


@pytest.fixture
def capture(tmp_path: Path) -> Capture:
    """One round of 64 KiB, pages as they are."""
    return record(tmp_path / "capture", Family("none", "none", "qemu-10.0"), script(tmp_path / "script", "single"))


def append(capture: Capture, channel: int, content: bytes) -> None:
    """More of a channel."""
    with capture.channel_path(channel).open("ab") as file:
        file.write(content)


def lines(capture: Capture, *options: str) -> list[dict[str, Any]]:
    """The packets as JSON."""
    answer = multifd("dissect", capture.directory, "--json", *options)
    assert answer.code == 0
    return [json.loads(line) for line in answer.out.splitlines()]


def test_what_qemu_sent(tmp_path: Path) -> None:
    answer = multifd("dissect", ZLIB)

    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"{ZLIB}:{QEMU_7_2}"


def test_what_we_send(capture: Capture) -> None:
    answer = multifd("dissect", capture.directory)

    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"{capture.directory}:{OURS}"


def test_json_has_every_field_of_the_header(capture: Capture) -> None:
    assert lines(capture)[1] == {
        "channel": 0,
        "at": 1408,
        "payload": 40960,
        "starts": "7468652068656164",
        "kind": "ram",
        "number": 2,
        "flags": 0,
        "meaning": "none",
        "pages_alloc": 128,
        "normal": 10,
        "zero": 0,
        "next_packet_size": 40960,
        "block": "pc.ram",
        "pages": [[0, 10]],
        "zero_pages": [],
    }


def test_zero_pages_and_gaps_are_shown(tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", Family("none", "none", "qemu-10.0"), script(tmp_path / "script", "dirty"))

    line = multifd("dissect", capture.directory).out.splitlines()[4]

    assert ", 2 pages [4, 9], 1 zero [2] of pc.ram, " in line


FIELDS: Final = """\
       @1408      magic            0x11223344
       @1412      version          0x1
       @1416      flags            0x2
       @1420      pages_alloc      0x80
       @1424      normal_pages     0x1
       @1428      next_packet_size 0x774
       @1432      packet_num       0x3
       @1440      zero_pages       0x0
       @1444      reserved         0x0
       @1472      ramblock         '/rom@etc/acpi/tables'
       @1728      offset           0x0
"""


def test_every_field_of_a_header_is_shown_where_it_stands() -> None:
    answer = multifd("dissect", ZLIB, "--channel", "1", "--fields")

    _, _, rest = answer.out.partition("7801ec174d6f1bc7…\n")
    assert (answer.code, rest[: len(FIELDS)]) == (0, FIELDS)


def test_fields_are_part_of_the_json(capture: Capture) -> None:
    append(capture, 1, pack_device_state(DeviceStateHeader(64, "vfio", 3, 5)) + b"state")

    ram, state = lines(capture, "--channel", "1", "--fields")[1::2]

    assert ram["fields"][4] == {"name": "normal_pages", "at": 1408 + 16, "size": 4, "value": 6}
    assert state["fields"][3] == {"name": "idstr", "at": state["at"] + 12, "size": 256, "value": "vfio"}


def test_one_channel_only(capture: Capture) -> None:
    assert [packet["number"] for packet in lines(capture, "--channel", "1")] == [1, 4, 5]


@pytest.mark.parametrize("channel", ["-1", "2"])
def test_a_channel_that_is_not_there_is_refused(capture: Capture, channel: str) -> None:
    answer = multifd("dissect", capture.directory, "--channel", channel)

    assert (answer.code, answer.out, answer.err) == (2, "", f"multifd: --channel {channel}: expected 0 to 1\n")


def test_what_the_limit_hides_is_said(capture: Capture) -> None:
    answer = multifd("dissect", capture.directory, "--limit", "2", "--channel", "0")

    assert answer.code == 0
    assert answer.out.splitlines()[3:] == ["channel 0: more packets are not shown (--limit)"]


def test_a_device_state_packet_is_shown(capture: Capture) -> None:
    append(capture, 1, pack_device_state(DeviceStateHeader(64, "vfio", 3, 5)) + b"state")

    last = multifd("dissect", capture.directory).out.splitlines()[-1]

    assert last == "ch 1   @28672     device state 'vfio' instance 3, 5 bytes skipped"


@pytest.mark.parametrize(
    ("flags", "meaning"),
    [
        (0x04, "zstd"),
        (0x05, "SYNC zstd"),
        (0x06, "no method 0x6"),
        (0x80000000, "none outside the mask 0x80000000"),
    ],
)
def test_flags_are_read_as_the_dialect_has_them(capture: Capture, flags: int, meaning: str) -> None:
    path = capture.channel_path(0)
    content = bytearray(path.read_bytes())
    content[1408 + 8 : 1408 + 12] = flags.to_bytes(4)
    path.write_bytes(content)

    assert lines(capture, "--channel", "0")[1]["meaning"] == meaning


def test_a_ram_block_forges_no_line_whatever_it_is_called(capture: Capture) -> None:
    path, name = capture.channel_path(0), b"pc.ram\nch 0   @43712     #3\x1b[2K\0"
    content = bytearray(path.read_bytes())
    content[1408 + 64 : 1408 + 64 + len(name)] = name
    path.write_bytes(content)

    answer = multifd("dissect", capture.directory, "--channel", "0")

    assert len(answer.out.splitlines()) == 4
    assert r"[0-9] of pc.ram\u000ach 0   @43712     #3\u001b[2K, payload" in answer.out


def test_a_manifest_forges_no_line_whoever_sent_it(capture: Capture) -> None:
    path = capture.directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"source": "me\nch 0   @64 #0"}))

    answer = multifd("dissect", capture.directory, "--channel", "1")

    assert answer.out.splitlines()[0].endswith(r"from me\u000ach 0   @64 #0")


# Recordings that end too early, or are something else


@pytest.mark.parametrize(
    ("size", "shown", "error"),
    [
        (0, 0, "init packet: stream ended after 0 of 64 bytes"),
        (63, 0, "init packet: stream ended after 63 of 64 bytes"),
        (65, 0, "packet header: stream ended after 1 of 1344 bytes"),
        (1407, 0, "packet header: stream ended after 1343 of 1344 bytes"),
        (1409, 1, "packet header: stream ended after 1 of 1344 bytes"),
        (43711, 1, "packet payload: stream ended after 40959 of 40960 bytes"),
        (45055, 2, "packet header: stream ended after 1343 of 1344 bytes"),
    ],
)
def test_the_packets_before_the_end_are_shown(capture: Capture, size: int, shown: int, error: str) -> None:
    path = capture.channel_path(0)
    path.write_bytes(path.read_bytes()[:size])

    answer = multifd("dissect", capture.directory)

    assert answer.code == 2
    assert answer.out.splitlines()[1:] == OURS.splitlines()[1 : 1 + shown]
    assert answer.err == (f"multifd: channel 0: multifd: {error} (Unexpected end-of-file before all data were read)\n")


def test_what_is_no_packet_is_called_so(capture: Capture) -> None:
    append(capture, 0, bytes(1344))

    answer = multifd("dissect", capture.directory)

    assert answer.code == 2
    assert answer.err == "multifd: channel 0: multifd: received packet magic 0, expected 11223344\n"


def test_counts_that_no_packet_can_have_are_shown_as_they_are(tmp_path: Path) -> None:
    directory = shutil.copytree(ZLIB, tmp_path / "capture")
    content = bytearray((directory / "channel-0.bin").read_bytes())
    content[1408 + 16 : 1408 + 20] = b"\xff\xff\xff\xff"
    (directory / "channel-0.bin").write_bytes(content)

    answer = multifd("dissect", directory, "--channel", "0", "--json")

    assert (answer.code, json.loads(answer.out.splitlines()[1])["normal"]) == (0, 0xFFFFFFFF)


def test_a_directory_that_is_no_capture_is_refused(tmp_path: Path) -> None:
    answer = multifd("dissect", tmp_path)

    line = f"multifd: {tmp_path}/manifest.json: cannot read: No such file or directory; expected a capture directory\n"
    assert (answer.code, answer.out, answer.err) == (2, "", line)
