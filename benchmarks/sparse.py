"""What a large guest costs that is mostly zero: ``multifd replay`` of a capture of it, which is made here.

Every page is listed in a packet, as QEMU lists it in its first round; one page of each stretch has content, which
travels as it is (``multifd-compression`` none). The replay costs what the content does: memory is a sparse file, whose
holes are found by its extents (lseek(2), SEEK_DATA). Only SHA-256 passes over every byte: that takes time, no memory.

Wanted are at most 1 GiB of resident memory for a guest of 64 GiB. The ratio is resident memory to guest memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from multifd.errors import HarnessError
from multifd.migrate.capture import FORMAT, save_manifest
from multifd.migrate.stream import FileSink
from multifd.process.python import ENVIRONMENT, python
from multifd.wire.dialect import dialect
from multifd.wire.main_writer import MainWriter
from multifd.wire.packet import slots
from multifd.wire.sending import SendingChannel

PAGE: Final = 4096
BLOCK: Final = "pc.ram"
SPOKEN: Final = "qemu-10.0"
NONE: Final = np.empty(0, np.uint64)


def record(directory: Path, size: int, stretch: int) -> str:
    """Write the capture; the digest of its memory. A page with content begins each ``stretch`` bytes."""
    directory.mkdir()
    wire = SendingChannel(dialect(SPOKEN), 0, flag=0, page_size=PAGE)
    writer = MainWriter(PAGE)
    each = slots(PAGE) * PAGE
    zeros, digest = bytes(each), hashlib.sha256()
    with closing(FileSink(directory / "channel-0.bin")) as channel, closing(FileSink(directory / "main.bin")) as main:
        main.write([writer.start("pc", [(BLOCK, size)], flush=True), writer.end(b"", flush=True)])
        channel.write([wire.open(), wire.sync()])
        for at in range(0, size, each):
            offsets = np.arange(at, at + each, PAGE, dtype=np.uint64)
            if at % stretch:
                channel.write([wire.packet(BLOCK, NONE, offsets, 0)])
                digest.update(zeros)
            else:
                page = np.full(PAGE, 1 + at // stretch % 255, np.uint8).data
                channel.write([wire.packet(BLOCK, offsets[:1], offsets[1:], PAGE), page])
                digest.update(page)
                digest.update(memoryview(zeros)[PAGE:])
        channel.write([wire.sync()])
    fields = {"format": FORMAT, "page_size": PAGE, "method": "none", "dialect": SPOKEN, "channels": 1}
    save_manifest(directory, {**fields, "ramblocks": {BLOCK: size}, "sha256": {BLOCK: digest.hexdigest()}})
    return digest.hexdigest()


@click.command()
@click.option("--memory", type=click.IntRange(min=1), default=64, show_default=True, help="Guest memory in GiB.")
@click.option("--stretch", type=click.IntRange(min=1), default=64, show_default=True, help="MiB for a page of content.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def main(memory: int, stretch: int, as_json: bool) -> None:
    """Replay a guest that is mostly zero, and say what that costs."""
    size = memory << 30
    with tempfile.TemporaryDirectory(prefix="multifd-sparse-") as directory:
        capture = Path(directory) / "capture"
        digest = record(capture, size, stretch << 20)
        wire = sum(path.stat().st_size for path in capture.iterdir())
        began = time.monotonic()
        command = python("-m", "multifd.cli.main", "replay", str(capture), "--json")
        with subprocess.Popen(command, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE) as replay:
            assert replay.stdout is not None
            told = json.loads(replay.stdout.read())
            _, status, used = os.wait4(replay.pid, 0)
            replay.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
    if told["outcome"] != "identical" or told["sha256"] != {BLOCK: digest}:
        raise HarnessError(f"the replay is {told['outcome']}: {told}")
    resident = used.ru_maxrss << 10
    table = Table("guest", "capture", "pages with content", "wall", "CPU", "resident")
    cpu = used.ru_utime + used.ru_stime
    table.add_row(
        f"{memory} GiB", f"{wire >> 20} MiB", f"{size // (stretch << 20)}", f"{wall:.0f} s", f"{cpu:.0f} s",
        f"{resident >> 20} MiB",
    )  # fmt: skip
    if as_json:
        print(json.dumps({"ratios": {"resident to guest memory": resident / size}, "cpu_seconds": cpu}))
    else:
        Console().print(table)


if __name__ == "__main__":
    main()
