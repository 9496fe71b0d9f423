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
from multifd.wire.fields import INIT, RAM

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


class Headers:
    """Takes the headers of a channel's packets with pages."""

    def __init__(self, order: list[int], channel: int) -> None:
        self.pages: list[int] = []
        self.written = 0
        self._order = order
        self._channel = channel

    def write(self, buffers: Sequence[Buffer]) -> None:
        header = bytes(buffers[0])
        if len(header) > INIT.size and (normal := int(RAM["normal_pages"].read(header, 0))):
            self.pages.append(normal)
            self._order.append(self._channel)

    def close(self) -> None:
        pass


def sent(tmp_path: Path, runs: Sequence[Sequence[int]], channels: int, fill: tuple[int, ...] = ()) -> list[Headers]:
    """What each channel was given of rounds, each of the first so many pages of some blocks."""
    sizes = {f"m{number}": 256 * PAGE for number in range(max(map(len, runs)))}
    with GuestMemory.create(tmp_path, sizes, PAGE) as guest:
        for block in sizes:
            guest.write(block, 0, b"\1" * 256 * PAGE)
        rounds = [
            Round(
                image=guest.layout,
                pages=tuple(PageRun(block=f"m{at}", first=0, count=count) for at, count in enumerate(counts)),
            )
            for counts in runs
        ]
        script = Script(page_size=PAGE, rounds=tuple(rounds), fill=fill)
        way = Transmission(framing("none"), dialect("qemu-10.0"), ZeroPages.PACKET, MainSync.FLUSH, channels)
        order: list[int] = []
        sinks = [Headers(order, channel) for channel in range(channels)]

        Transmitter(script, way, create("none", {}), Sink(), sinks).run()

    return sinks


def test_packets_are_as_full_as_they_can_be_unless_told_otherwise(tmp_path: Path) -> None:
    assert [sink.pages for sink in sent(tmp_path, [[200]], 1)] == [[128, 72]]


def test_packets_have_the_pages_that_they_are_told_in_turns(tmp_path: Path) -> None:
    assert [sink.pages for sink in sent(tmp_path, [[20]], 1, (3, 5))] == [[3, 5, 3, 5, 3, 1]]


def test_a_packet_ends_with_its_block_and_its_round(tmp_path: Path) -> None:
    assert [sink.pages for sink in sent(tmp_path, [[4, 4], [2]], 1, (3,))] == [[3, 1, 3, 1, 2]]


def test_channels_take_turns_from_one_round_to_the_next(tmp_path: Path) -> None:
    """With a packet in each round all would go to the first channel otherwise."""
    assert [sink.pages for sink in sent(tmp_path, [[1], [2], [3], [4]], 3)] == [[1, 4], [2], [3]]


def test_the_turns_of_fills_go_on_in_the_next_block(tmp_path: Path) -> None:
    assert [sink.pages for sink in sent(tmp_path, [[2, 6]], 1, (2, 1, 3))] == [[2, 1, 3, 2]]
