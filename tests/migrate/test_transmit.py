"""Our sender: what a codec reads stands still, whatever the guest does meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from typing_extensions import Buffer

from multifd.codec import create
from multifd.framing.coder import Compressor, compressor_of
from multifd.framing.container import Container
from multifd.framing.model import framing
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageRun, Round, Script
from multifd.migrate.transmit import Transmission, Transmitter
from multifd.wire.dialect import MainSync, ZeroPages, dialect

PAGE: Final = 4096
PAGES: Final = 4


class Sink:
    """Takes everything and keeps nothing."""

    written = 0

    def write(self, buffers: Sequence[Buffer]) -> None:
        pass

    def close(self) -> None:
        pass


class Disturbed:
    """A codec during whose every call the guest writes to all its pages."""

    def __init__(self, name: str, guest: GuestMemory) -> None:
        self._codec = create(name, {})
        self._guest = guest
        self.encoder = self._codec.encoder
        self.name = name
        self.given: list[tuple[bytes, bytes]] = []
        """What it was given, before and after the guest had written."""

    def compressor(self, container: Container, window: int) -> Compressor:
        self._stream = compressor_of(self._codec, container, window)
        self.sync = self._stream.sync
        return self

    def compress(self, data: Buffer) -> bytes:
        before = bytes(data)
        self._guest.write("m", 0, b"\xff" * PAGE * PAGES)
        self.given.append((before, bytes(data)))
        return self._stream.compress(memoryview(data))


@pytest.mark.parametrize("method", ["zlib", "zstd"])
def test_a_codec_is_given_a_copy_that_the_guest_does_not_change(method: str, tmp_path: Path) -> None:
    with GuestMemory.create(tmp_path, {"m": PAGE * PAGES}, PAGE) as guest:
        content = b"\1\2\3\4" * PAGE
        guest.write("m", 0, content)
        script = Script(
            page_size=PAGE, rounds=(Round(image=guest.layout, pages=(PageRun(block="m", first=0, count=PAGES),)),)
        )
        way = Transmission(framing(method), dialect("qemu-10.0"), ZeroPages.PACKET, MainSync.FLUSH, 1)
        codec = Disturbed(method, guest)

        Transmitter(script, way, codec, Sink(), [Sink()]).run()  # type: ignore[arg-type]

    assert codec.given == [(content, content)]
