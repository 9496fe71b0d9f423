"""``multifd replay`` and ``multifd dissect``: recorded migrations."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from rich.markup import escape

from multifd.accelerator import VENDOR
from multifd.campaign.bundle import unpack
from multifd.cli.decoding import decoded
from multifd.cli.output import Console
from multifd.codec import create, parsed
from multifd.codec.reference import reference
from multifd.errors import EnvironmentBroke, InputError, MultifdError, PayloadError, WireError
from multifd.memory.image import GuestMemory
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.apply import Destination, Reception
from multifd.migrate.capture import Capture
from multifd.migrate.dissected import dissected, fields, line
from multifd.migrate.replay import Replay
from multifd.result.counted import counted
from multifd.result.printable import one_line
from multifd.wire.dialect import Dialect, dialect
from multifd.wire.fields import DEVICE_STATE, RAM
from multifd.wire.packet import DeviceStateHeader
from multifd.wire.scan import Scanned

MAX_MEMORY: Final = 64 << 30
"""Bytes of guest memory that a replay takes on."""
_MORE: Final = 1 << 20
"""Bytes of scratch space besides guest memory."""

_capture = click.argument("capture", type=click.Path(path_type=Path))


@click.command()
@_capture
@click.option("--decoder", metavar="NAME", help="Codec that decodes: isal, zlib[window=12]; default by the framing.")
@click.option("--dialect", "spoken", metavar="NAME", help="Read as a receiver of this dialect; default the capture's.")
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
def replay(capture: Path, decoder: str | None, spoken: str | None, as_json: bool) -> None:
    """Decode a capture and compare memory with its digest: exit 0 identical, 1 not, 2 it cannot be read.

    A capture without any digest is decoded and not compared, which is exit 1: nothing was shown to be identical.

    CAPTURE is a directory with manifest.json and channel-<n>.bin (docs/capture.md), or a file that multifd bundle made.
    """
    with _opened(capture) as opened:
        chosen = decoder or reference(opened.framing.container)
        read_as = dialect(spoken) if spoken else opened.dialect
        result: dict[str, Any] = {"capture": str(capture), "decoder": chosen, "dialect": read_as.name}
        try:
            result |= _replay(opened, chosen, read_as)
        except EnvironmentBroke:
            raise
        except MultifdError as problem:
            result |= {"outcome": "unreadable", "error": str(problem)}
            if isinstance(problem, WireError | PayloadError):
                result |= {"field": problem.field, "value": problem.value, "expected": problem.expected}
                result |= {name: value for name, value in asdict(problem.place).items() if value is not None}
    if as_json:
        print(json.dumps(result, default=str))
    else:
        _tell(result)
    sys.exit({"identical": 0, "different": 1, "not compared": 1}.get(result["outcome"], 2))


def _replay(capture: Capture, decoder: str, read_as: Dialect) -> dict[str, Any]:
    manifest = capture.manifest
    total = sum(manifest.ramblocks.values())
    if total > MAX_MEMORY:
        raise InputError(f"ramblocks: {total} bytes in all, expected at most {MAX_MEMORY}")
    codec, parameters = parsed(decoder)
    decode = _by_library if codec in VENDOR else _here
    scratch = _scratch(total, sum(path.stat().st_size for path in capture.channel_paths()))
    try:
        with GuestMemory.create(scratch, manifest.ramblocks, manifest.page_size) as memory:
            packets = decode(codec, parameters, capture, read_as, memory)
            digests = memory.digest()
    finally:
        remove_scratch(scratch)
    different = [name for name, expected in manifest.sha256.items() if digests.get(name) != expected]
    return {
        "outcome": "different" if different else "identical" if manifest.sha256 else "not compared",
        "packets": packets,
        "compared": sorted(manifest.sha256),
        "different": different,
        "sha256": digests,
    }


def _scratch(declared: int, content: int) -> Path:
    """Room for all of the memory, or else for what fills it: of a guest's pages most may be zero."""
    try:
        return make_scratch(declared + _MORE)
    except EnvironmentBroke:
        return make_scratch(min(declared, content) + _MORE)


def _here(codec: str, parameters: Mapping[str, int], capture: Capture, read_as: Dialect, memory: GuestMemory) -> int:
    """Decode in this process; the number of packets."""
    reception = Reception(capture.framing, read_as, capture.main_sync, capture.manifest.channels)
    replay = Replay(capture, reception, create(codec, parameters), Destination(memory))
    replay.run()
    return replay.packets


def _by_library(
    codec: str, parameters: Mapping[str, int], capture: Capture, read_as: Dialect, memory: GuestMemory
) -> int:
    """The same in a process that can load the library, as in a run."""
    directory, framing = capture.directory.absolute(), capture.framing.name
    return decoded(codec, parameters, directory, memory.layout, framing, read_as.name).packets


def _tell(result: dict[str, Any]) -> None:
    console = Console()
    how = escape(f"decoded by {result['decoder']} as {result['dialect']}")
    packets = counted(result.get("packets", 0), "packet")
    match result["outcome"]:
        case "identical":
            compared = escape(one_line(", ".join(result["compared"])))
            console.print(
                f"[green]identical[/]: {packets} {how}; compared {compared}",
                soft_wrap=True,
            )
        case "different":
            blocks = escape(one_line(", ".join(result["different"])))
            console.print(
                f"[red]different[/]: {packets} {how}; memory of {blocks} is wrong",
                soft_wrap=True,
            )
        case "not compared":
            console.print(
                f"[red]not compared[/]: {packets} {how}; sha256 of the manifest has no digest",
                soft_wrap=True,
            )
        case _:
            console.print(f"[red]cannot be read[/], {how}: {escape(one_line(result['error']))}", soft_wrap=True)


@click.command()
@_capture
@click.option("--channel", type=int, help="Only this channel.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Packets of each channel.")
@click.option("--fields", "with_fields", is_flag=True, help="Every field of every header, where it stands.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per packet.")
def dissect(capture: Path, channel: int | None, limit: int, with_fields: bool, as_json: bool) -> None:
    """Show the packets of a capture as a person reads them; exit 2 where one cannot be read.

    CAPTURE is a directory with manifest.json and channel-<n>.bin (docs/capture.md), or a file that multifd bundle made.
    """
    with _opened(capture) as opened:
        _dissect(opened, capture, channel, limit, with_fields=with_fields, as_json=as_json)


@contextmanager
def _opened(path: Path) -> Iterator[Capture]:
    """A capture by itself, or the one in a bundle."""
    if not path.is_file():
        yield Capture.open(path)
        return
    with TemporaryDirectory(prefix="multifd-") as directory:
        yield Capture.open(unpack(path, Path(directory)))


def _dissect(
    opened: Capture, given: Path, channel: int | None, limit: int, *, with_fields: bool, as_json: bool
) -> None:
    numbers = range(opened.manifest.channels) if channel is None else [channel]
    if channel is not None and not 0 <= channel < opened.manifest.channels:
        raise InputError(f"--channel {channel}: expected 0 to {opened.manifest.channels - 1}")
    console = Console()
    if not as_json:
        console.print(_title(opened, given), soft_wrap=True, markup=False)
    for number in numbers:
        for count, packet in enumerate(dissected(opened, number)):
            if count >= limit:
                console.print(f"channel {number}: more packets are not shown (--limit)")
                break
            shown = fields(packet, opened, number)
            places = _places(packet) if with_fields else []
            if as_json:
                console.print(json.dumps(shown | {"fields": places} if places else shown), soft_wrap=True, markup=False)
            else:
                console.print("\n".join([line(shown), *map(_place, places)]), soft_wrap=True, markup=False)


def _title(capture: Capture, given: Path) -> str:
    manifest = capture.manifest
    source = f", from {manifest.source}" if manifest.source else ""
    return one_line(
        f"{given}: {capture.framing.name} in {capture.dialect.name}, {counted(manifest.channels, 'channel')},"
        f" pages of {manifest.page_size}{source}"
    )


def _places(packet: Scanned) -> list[dict[str, Any]]:
    """The header field by field (multifd/wire/fields.py); of the offsets, where they begin."""
    layout = DEVICE_STATE if isinstance(packet.header, DeviceStateHeader) else RAM
    return [
        {"name": field.name, "at": packet.at + field.offset, "size": field.size, "value": field.read(packet.raw)}
        for field in layout.fields
    ]


def _place(place: dict[str, Any]) -> str:
    value = place["value"]
    number = f"{value:#x}" if isinstance(value, int) else repr(value)
    return f"       @{place['at']:<9} {place['name']:<16} {number}"
