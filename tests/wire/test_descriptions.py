"""What is published about the wire says what the table of fields says, and reads what QEMU sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest
import yaml

from multifd.wire.dialect import DIALECTS, FLAG_SYNC
from multifd.wire.fields import DEVICE_STATE, INIT, LAYOUTS, PREFIX, RAM, Field, Form, Layout
from multifd.wire.packet import (
    PACKET_SIZE,
    DeviceStateHeader,
    RamHeader,
    header_size,
    pack_device_state,
    pack_init,
    pack_ram,
)
from multifd.wire.scan import scan
from tests.wire.kaitai import Reader, Spec, size_of

ROOT: Final = Path(__file__).resolve().parents[2]
CAPTURES: Final = ROOT / "tests/captures"
DOCUMENT: Final = (ROOT / "docs/wire.md").read_text(encoding="utf-8")
KSY: Final[Spec] = yaml.safe_load((ROOT / "docs/multifd.ksy").read_text(encoding="utf-8"))
FILES: Final = sorted(CAPTURES.glob("*/channel-*.bin"))


# The document


def rows(section: str) -> list[list[str]]:
    """The cells of the first table of a section, its head left out."""
    _, _, rest = DOCUMENT.partition(f"\n## {section}\n")
    text = rest.partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_document_has_the_table_of_every_packet(layout: Layout) -> None:
    assert rows(f"{layout.name} packet") == [
        [str(f.offset), f"{f.size}{' each' if f.array else ''}", f"`{f.name}`", f.meaning] for f in layout.fields
    ]


def test_the_document_has_the_size_of_every_header() -> None:
    (sizes,) = re.findall(r"(\d+) bytes for pages of 4 KiB, (\d+) for 16 KiB,\s(\d+) for 64 KiB", DOCUMENT)

    assert [int(size) for size in sizes] == [header_size(page_size) for page_size in (4096, 16384, 65536)]
    assert f"{INIT.size} bytes." in DOCUMENT
    assert f"{DEVICE_STATE.size} bytes," in DOCUMENT


def test_the_document_has_the_flags_of_every_dialect() -> None:
    assert [row[:4] for row in rows("Flags by generation")] == [
        [f"`{d.name}`", d.versions, f"{d.mask:#x}", ", ".join(f"{name} {flag:#x}" for name, flag in d.flags.items())]
        for d in DIALECTS.values()
    ]
    assert f"SYNC is {FLAG_SYNC:#x}, device state {DIALECTS['qemu-10.0'].device_state:#x}" in DOCUMENT


# The description for machines


def described(name: str) -> list[Spec]:
    """The fields of a type."""
    seq: list[Spec] = KSY["types"][name]["seq"]
    return seq


SEQUENCES: Final = {
    INIT.name: described("init_packet"),
    RAM.name: [*described("packet")[:-1], *described("ram")[:-1]],
    DEVICE_STATE.name: [*described("packet")[:-1], *described("device_state")[:-1]],
}
"""The fields of each packet; what stands last in the types is what comes next."""


def as_described(field: Field) -> Spec:
    """A field of the table as a description has to put it."""
    if field.always is not None:
        return {"contents": list(field.always.to_bytes(field.size))}
    match field.form:
        case Form.INTEGER:
            return {"type": f"u{field.size}"} | ({"repeat": "expr"} if field.array else {})
        case Form.TEXT:
            return {"type": "strz", "size": field.size}
        case Form.UUID | Form.RESERVED:
            return {"size": field.size}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_description_has_the_fields_of_the_table_in_their_places(layout: Layout) -> None:
    sequence = SEQUENCES[layout.name]
    sizes = [size_of(field) or 0 for field in sequence]

    assert [field["id"] for field in sequence] == [field.name for field in layout.fields]
    assert [sum(sizes[:at]) for at in range(len(sizes))] == [field.offset for field in layout.fields]
    assert sizes == [field.size for field in layout.fields]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_description_reads_every_field_as_the_table_does(layout: Layout) -> None:
    words = ("contents", "type", "size", "repeat")

    assert [{word: field[word] for word in words if word in field} for field in SEQUENCES[layout.name]] == [
        as_described(field) for field in layout.fields
    ]


def test_the_description_knows_the_order_of_bytes_and_of_packets() -> None:
    assert (KSY["meta"]["id"], KSY["meta"]["endian"]) == ("multifd", "be")
    assert [field["id"] for field in described("packet")[:-1]] == [field.name for field in PREFIX.fields]
    assert str(PACKET_SIZE) in described("ram")[-2]["repeat-expr"]
    assert list(described("packet")[-1]["type"]["cases"]) == [DIALECTS["qemu-10.0"].device_state, "_"]


def read(stream: bytes, *, page_size: int = 4096, raw_pages: bool = False) -> SimpleNamespace:
    """A channel as the description reads it, to its last byte."""
    reader = Reader(KSY, stream, SimpleNamespace(page_size=page_size, raw_pages=raw_pages))
    channel = reader.read(KSY["seq"])
    assert reader.at == len(stream)
    return channel


def as_scanned(packet: SimpleNamespace) -> dict[str, Any]:
    """What our own reader has of a packet, as the description names it."""
    body = packet.body
    names = [f.name for f in RAM.fields if f.name not in {"magic", "version", "flags", "reserved"}]
    return {"flags": packet.flags, **{name: getattr(body, name) for name in names}, "payload": body.payload}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_description_reads_what_qemu_sent_as_our_reader_does(path: Path) -> None:
    manifest = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))
    stream = path.read_bytes()
    ours = []
    for scanned in scan(stream, manifest["page_size"], DIALECTS[manifest["dialect"]], raw_pages=False):
        header = scanned.header
        assert isinstance(header, RamHeader)
        names = ("flags", "pages_alloc", "normal_pages", "next_packet_size", "packet_num", "zero_pages", "ramblock")
        ours.append(
            {name: getattr(header, name) for name in names}
            | {"offset": header.offsets.tolist(), "payload": bytes(scanned.payload)}
        )

    channel = read(stream)

    assert channel.init.id == int(path.stem.removeprefix("channel-"))
    assert [as_scanned(packet) for packet in channel.packets] == ours
    assert ours


@pytest.mark.parametrize("page_size", [4096, 65536])
def test_the_description_reads_whole_pages_without_compression(page_size: int) -> None:
    offsets = np.array([0, page_size], np.uint64)
    header = pack_ram(RamHeader(0, 8, 2, 4711, 0, 0, "m", offsets), page_size)

    (packet,) = read(pack_init(0) + header + bytes(2 * page_size), page_size=page_size, raw_pages=True).packets

    assert packet.body.offset[:2] == [0, page_size]
    assert packet.body.payload == bytes(2 * page_size)


def test_the_description_reads_device_state() -> None:
    stream = pack_init(3) + pack_device_state(DeviceStateHeader(64, "0000:00:02.0/vfio", 7, 5)) + b"state"

    channel = read(stream)

    (packet,) = channel.packets
    assert (channel.init.id, packet.flags) == (3, 64)
    assert (packet.body.idstr, packet.body.instance_id, packet.body.state) == ("0000:00:02.0/vfio", 7, b"state")
