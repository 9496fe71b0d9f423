"""A guest of 64 GiB that is mostly zero is replayed for what it holds."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from multifd.migrate.capture import FORMAT, save_manifest
from multifd.migrate.stream import FileSink
from multifd.process.python import ENVIRONMENT, python
from multifd.wire.dialect import dialect
from multifd.wire.main_writer import MainWriter
from multifd.wire.sending import SendingChannel

PAGE: Final = 4096
SIZE: Final = 64 << 30
STRETCH: Final = 256 << 20
"""Bytes that begin with a page that has content, and a few that are zero."""
REPLAY: Final = """
import json, sys
from pathlib import Path
from multifd.codec import create
from multifd.memory.image import GuestMemory
from multifd.memory.sparse import extents
from multifd.migrate.apply import Destination, Reception
from multifd.migrate.capture import Capture
from multifd.migrate.replay import Replay
capture = Capture.open(Path(sys.argv[1]))
reception = Reception(capture.framing, capture.dialect, capture.main_sync, 1)
with GuestMemory.create(Path(sys.argv[2]), capture.manifest.ramblocks, 4096) as memory:
    Replay(capture, reception, create("none"), Destination(memory)).run()
    with GuestMemory.open(memory.layout, writable=False) as same:
        differences = memory.differences(same)
    path = Path(memory.layout.blocks[0].path)
    with path.open("rb") as file:
        held = [start for start, _ in extents(file.fileno(), path.stat().st_size)]
(peak,) = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(json.dumps({
    "resident": int(peak) << 10,
    "disk": path.stat().st_blocks * 512, "held": held, "differences": differences,
}))
"""


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Its first round, as far as there is content, and the zero pages behind that."""
    directory = tmp_path / "capture"
    directory.mkdir()
    wire, writer = SendingChannel(dialect("qemu-10.0"), 0, flag=0, page_size=PAGE), MainWriter(PAGE)
    with closing(FileSink(directory / "channel-0.bin")) as channel, closing(FileSink(directory / "main.bin")) as main:
        main.write([writer.start("pc", [("m", SIZE)], flush=True), writer.end(b"", flush=True)])
        channel.write([wire.open(), wire.sync()])
        for at in range(0, SIZE, STRETCH):
            offsets = np.arange(at, at + 128 * PAGE, PAGE, dtype=np.uint64)
            channel.write([wire.packet("m", offsets[:1], offsets[1:], PAGE), bytes([7]) * PAGE])
        channel.write([wire.sync()])
    fields = {"format": FORMAT, "page_size": PAGE, "method": "none", "dialect": "qemu-10.0", "channels": 1}
    save_manifest(directory, {**fields, "ramblocks": {"m": SIZE}, "sha256": {}})
    return directory


def test_it_takes_the_memory_and_the_disk_of_its_pages(capture: Path, tmp_path: Path) -> None:
    command = python("-c", REPLAY, str(capture), str(tmp_path / "memory"))

    told = json.loads(subprocess.run(command, env={**os.environ, **ENVIRONMENT}, stdout=-1, check=True).stdout)

    assert told["held"] == list(range(0, SIZE, STRETCH))
    assert told["differences"] == []
    assert told["disk"] < 4 << 20
    assert told["resident"] < 256 << 20
