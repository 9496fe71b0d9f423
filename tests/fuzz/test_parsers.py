"""Whatever the bytes are, a parser ends with what it read, or with its own error: no other exception comes out.

Each target is tried so often as ``MULTIFD_FUZZ`` says; that is little unless it is set. For hours of it::

    MULTIFD_FUZZ=1000000 python -m pytest tests/fuzz -n0 --timeout 0

What it finds is minimised by Hypothesis, and belongs into a test of its own.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multifd.codec import create
from multifd.codec.reference import reference
from multifd.errors import InputError, PayloadError, WireError
from multifd.framing.deflate import walk
from multifd.framing.recognize import described
from multifd.framing.walked import DeflateError
from multifd.memory.image import GuestMemory
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.apply import ChannelApplier, Destination, Reception
from multifd.migrate.capture import MANIFEST, Capture
from multifd.migrate.dissected import fields, line
from multifd.wire.dialect import DIALECTS
from multifd.wire.main_reader import MainReader
from multifd.wire.packet import INIT_SIZE
from multifd.wire.scan import scan
from tests.fuzz.mutation import damaged

EXECUTIONS: Final = int(os.environ.get("MULTIFD_FUZZ", "60"))
CAPTURES: Final = tuple(
    Capture.open(path) for path in sorted((Path(__file__).resolve().parents[1] / "captures").iterdir()) if path.is_dir()
)
CHANNELS: Final = [path.read_bytes() for capture in CAPTURES for path in capture.channel_paths()]
MAINS: Final = [capture.main_path.read_bytes() for capture in CAPTURES if capture.main_path is not None]
MANIFESTS: Final = [(capture.directory / MANIFEST).read_bytes() for capture in CAPTURES]

fuzzed: Final = settings(
    max_examples=EXECUTIONS,
    deadline=None,
    derandomize="MULTIFD_FUZZ" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Recording(io.BytesIO):
    """A channel's bytes as a receiver reads them."""

    def read(self, size: int | None = -1, /) -> memoryview:  # type: ignore[override]  # that of a Source
        return memoryview(super().read(size))


@pytest.fixture(scope="module")
def destinations() -> Iterator[list[Destination]]:
    """Memory for each of the captures, which is never looked at."""
    scratch = make_scratch(1 << 20)
    memories = [
        GuestMemory.create(scratch / str(number), capture.manifest.ramblocks, capture.manifest.page_size)
        for number, capture in enumerate(CAPTURES)
    ]
    yield [Destination(memory) for memory in memories]
    for memory in memories:
        memory.close()
    remove_scratch(scratch)


@fuzzed
@given(damaged(CHANNELS), st.sampled_from(list(DIALECTS.values())), st.sampled_from((4096, 16384, 65536)))
def test_packets_are_read_or_refused(content: bytes, spoken: object, page_size: int) -> None:
    with suppress(WireError):
        for packet in scan(content, page_size, spoken, raw_pages=False):  # type: ignore[arg-type]
            shown = line(fields(packet, CAPTURES[0], 0))
            assert len(shown.splitlines()) == 1
            described(packet.payload, 128)


@fuzzed
@given(damaged(CHANNELS), st.integers(0, len(CAPTURES) - 1))
def test_a_channel_is_received_or_refused(destinations: list[Destination], content: bytes, which: int) -> None:
    capture = CAPTURES[which]
    codec = create(reference(capture.framing.container))
    reception = Reception(capture.framing, capture.dialect, capture.main_sync, capture.manifest.channels)
    channel = ChannelApplier(reception, codec, destinations[which], Recording(content))

    with suppress(WireError, PayloadError):
        channel.open()
        while channel.run_epoch():
            pass


@fuzzed
@given(damaged(MAINS), st.sampled_from((4096, 16384, 65536)), st.integers(1, 5000))
def test_a_main_channel_is_read_or_refused(content: bytes, page_size: int, piece: int) -> None:
    reader = MainReader(page_size)

    with suppress(WireError):
        for at in range(0, len(content), piece):
            reader.feed(content[at : at + piece])
        reader.finish()


@fuzzed
@given(damaged([content[INIT_SIZE + 1344 :] for content in CHANNELS]), st.integers(0, 1 << 15))
def test_a_stream_of_deflate_is_walked_or_refused(content: bytes, history: int) -> None:
    with suppress(DeflateError):
        walk(content, history=history)


@fuzzed
@given(damaged(MANIFESTS))
def test_a_manifest_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    directory = _directory(tmp_path_factory)
    (directory / MANIFEST).write_bytes(content)

    with suppress(InputError):
        Capture.open(directory)


def _directory(factory: pytest.TempPathFactory) -> Path:
    directory = factory.getbasetemp() / "fuzzed"
    directory.mkdir(exist_ok=True)
    return directory
