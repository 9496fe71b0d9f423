"""What is put before damaged bytes: each target returns when they are read or refused, and lets nothing else out."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from multifd.codec import create
from multifd.codec.reference import reference
from multifd.errors import MultifdError, PayloadError, WireError
from multifd.framing.recognize import described
from multifd.memory.image import GuestMemory
from multifd.migrate.apply import ChannelApplier, Destination, Reception
from multifd.migrate.capture import MANIFEST, Capture
from multifd.migrate.dissected import fields, line
from multifd.migrate.replay import Replay
from multifd.wire.dialect import Dialect
from multifd.wire.packet import INIT_SIZE
from multifd.wire.scan import scan
from tests.fuzz.mutation import Chance, damage

CAPTURES: Final = tuple(
    Capture.open(path) for path in sorted((Path(__file__).resolve().parents[1] / "captures").iterdir()) if path.is_dir()
)
"""Of real QEMU."""
CHANNELS: Final = [path.read_bytes() for capture in CAPTURES for path in capture.channel_paths()]
MAINS: Final = [capture.main_path.read_bytes() for capture in CAPTURES if capture.main_path is not None]
MANIFESTS: Final = [(capture.directory / MANIFEST).read_bytes() for capture in CAPTURES]
_LARGEST: Final = 64 << 20
"""Bytes of guest memory that a damaged capture is given."""


class Recording(io.BytesIO):
    """A channel's bytes as a receiver reads them."""

    def read(self, size: int | None = -1, /) -> memoryview:  # type: ignore[override]  # that of a Source
        return memoryview(super().read(size))


def dissect(content: bytes, spoken: Dialect, page_size: int) -> None:
    """A channel is shown, a line for each packet."""
    with suppress(WireError):
        for packet in scan(content, page_size, spoken, raw_pages=False):
            shown = line(fields(packet, CAPTURES[0], 0))
            assert len(shown.splitlines()) == 1
            described(packet.payload, 128)


def receive(content: bytes, capture: Capture, destination: Destination) -> None:
    """A channel is received as one of this capture's."""
    codec = create(reference(capture.framing.container))
    reception = Reception(capture.framing, capture.dialect, capture.main_sync, capture.manifest.channels)
    channel = ChannelApplier(reception, codec, destination, Recording(content))
    with suppress(WireError, PayloadError):
        channel.open()
        while channel.run_epoch():
            pass


def replay(directory: Path) -> None:
    """A capture is replayed, as ``multifd replay`` does it."""
    with suppress(MultifdError):
        capture = Capture.open(directory)
        if sum(capture.manifest.ramblocks.values()) > _LARGEST:
            return
        codec = create(reference(capture.framing.container))
        reception = Reception(capture.framing, capture.dialect, capture.main_sync, capture.manifest.channels)
        blocks, page_size = capture.manifest.ramblocks, capture.manifest.page_size
        with GuestMemory.create(directory / "memory", blocks, page_size) as memory:
            Replay(capture, reception, codec, Destination(memory)).run()


@dataclass(frozen=True)
class Recorded:
    """A capture in pieces that can be damaged."""

    capture: Capture

    @property
    @cache  # noqa: B019  (there are as many as captures)
    def files(self) -> dict[str, bytes]:
        """Its files by name."""
        return {path.name: path.read_bytes() for path in self.capture.directory.iterdir() if path.is_file()}

    @property
    @cache  # noqa: B019
    def packets(self) -> list[bytes]:
        """Header and payload of each packet of any channel, behind an init packet."""
        manifest, raw = self.capture.manifest, self.capture.framing.raw_pages
        return [
            content[:INIT_SIZE] + bytes(packet.raw) + bytes(packet.payload)
            for content in map(Path.read_bytes, self.capture.channel_paths())
            for packet in scan(content, manifest.page_size, self.capture.dialect, raw_pages=raw)
        ]

    def damaged(self, chance: Chance, directory: Path) -> None:
        """Write it with some of its files damaged, the manifest seldom: what is wrong there ends all."""
        names = [name for name in sorted(self.files) if name != MANIFEST or chance.number(0, 7) == 0]
        hit = {chance.one_of(names) for _ in range(chance.number(1, 2))}
        for name, content in self.files.items():
            new = damage(chance, content, text=name == MANIFEST) if name in hit else content
            (directory / name).write_bytes(new)
