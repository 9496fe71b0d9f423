"""Records a capture from a real QEMU: ``python tests/captures/record.py --qemu PATH --method zlib OUT``.

A guest that never runs (``-S``) is migrated to this program. Its memory is a file with a fixed pattern, so
nobody has to ask the guest for it; the BIOS is a file of zeros, to keep the capture small. QEMU needs no
answer on the migration sockets: accepting one main and N multifd connections and reading each to its end is
enough. OUT gets ``main.bin``, ``channel-<id>.bin`` and ``manifest.json``.

Needs the standard library and this project's wire package only (``PYTHONPATH`` = repository root). Which
pages travel on which channel, and in how many packets, differs from run to run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from multifd.errors import EnvironmentBroke
from multifd.wire.dialect import DIALECTS
from multifd.wire.main_channel import Blocks, MainReader

PAGE_SIZE: Final = 4096
BIOS_SIZE: Final = 64 << 10
RAM_BLOCK: Final = "m"
INIT_SIZE: Final = 64
"""Bytes of a multifd channel's init packet (``MultiFDInit_t``)."""
INIT_ID: Final = 24
"""Offset of the channel id in the init packet."""
UNITS: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Deadline:
    """A point in time that every wait of a recording shares."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, what: str) -> float:
        """Seconds that are left (> 0); raises :class:`EnvironmentBroke` naming ``what`` was waited for."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise EnvironmentBroke(f"deadline passed while waiting for {what}")
        return seconds


class Qmp:
    """Just enough of the QEMU Machine Protocol: one command at a time, events dropped."""

    def __init__(self, path: Path, deadline: Deadline) -> None:
        self._deadline = deadline
        self._socket = _connect(path, deadline)
        self._file = self._socket.makefile("r", encoding="utf-8")
        self._message("the QMP greeting")
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """The command's return value; raises :class:`EnvironmentBroke` with QEMU's words if it refuses."""
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while "event" in (message := self._message(f"the answer to {command}")):
            pass
        if "error" in message:
            raise EnvironmentBroke(f"QMP {command}: {message['error']['desc']}")
        return message["return"]

    def close(self) -> None:
        """Closes the connection."""
        self._file.close()
        self._socket.close()

    def _message(self, what: str) -> dict[str, Any]:
        self._socket.settimeout(self._deadline.left(what))
        line = self._file.readline()
        if not line:
            raise EnvironmentBroke(f"QEMU closed QMP instead of sending {what}")
        message: dict[str, Any] = json.loads(line)
        return message


def _connect(path: Path, deadline: Deadline) -> socket.socket:
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            deadline.left("QEMU's QMP socket")
            time.sleep(0.02)
        else:
            return connection


def pattern(size: int) -> Iterator[tuple[int, bytes]]:
    """The pages of the guest's memory that are not zero, as (offset, page).

    Runs of text, of counters and of random bytes, a page whose only byte is its last, and the memory's last
    page: what compresses well, a little and not at all, with zero pages before, between and after.
    """
    source = random.Random(PAGE_SIZE)
    words = [f"word{source.randrange(1000)}" for _ in range(200)]
    pages = (
        *(" ".join(source.choices(words, k=PAGE_SIZE)).encode()[:PAGE_SIZE] for _ in range(24)),
        *(b"".join((16 * n + i).to_bytes(8, "little") for i in range(PAGE_SIZE // 8)) for n in range(12)),
        *(source.randbytes(PAGE_SIZE) for _ in range(4)),
        bytes(PAGE_SIZE - 1) + b"\1",
    )
    gaps = (0, 1, 1, 1, 7, 129)
    number = 3
    for page, gap in zip(pages, (gaps[i % len(gaps)] for i in range(len(pages))), strict=True):
        number += gap + 1
        yield number * PAGE_SIZE, page
    yield size - PAGE_SIZE, pages[0]


def fill(path: Path, size: int) -> None:
    """Creates the memory file of ``size`` bytes, sparse where it is zero."""
    with path.open("wb") as file:
        file.truncate(size)
        for offset, page in pattern(size):
            file.seek(offset)
            file.write(page)


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[None]:
    """QEMU for the time of the block; killed in every case, its words shown if the block fails."""
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
    try:
        yield
    except (EnvironmentBroke, OSError):
        sys.stderr.write(log.read_text(errors="replace"))
        raise
    finally:
        process.kill()
        process.wait()


def receive(listener: socket.socket, connections: int, deadline: Deadline) -> list[bytes]:
    """Every byte of each connection, in the order in which they were accepted."""
    received: list[bytearray] = []
    open_connections = 0
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while open_connections or len(received) < connections:
            for key, _ in selector.select(deadline.left("the migration")):
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    received.append(bytearray())
                    selector.register(connection, selectors.EVENT_READ, (connection, received[-1]))
                    open_connections += 1
                    continue
                connection, store = key.data
                data = connection.recv(1 << 16)
                store += data
                if not data:
                    selector.unregister(connection)
                    connection.close()
                    open_connections -= 1
    return [bytes(data) for data in received]


def ramblocks(main: bytes) -> dict[str, int]:
    """Bytes of every RAM block that the main channel announces."""
    reader = MainReader(PAGE_SIZE)
    events = reader.feed(main)
    reader.finish()
    return {name: size for event in events if isinstance(event, Blocks) for name, size in event.blocks}


def dialect_of(version: tuple[int, int]) -> str:
    """The newest dialect of QEMU's releases that is not newer than ``version`` (major, minor)."""
    releases = {
        tuple(map(int, name.removeprefix("qemu-").split("."))): name for name in DIALECTS if name.startswith("qemu-")
    }
    return releases[max(release for release in releases if release <= version)]


def record(options: argparse.Namespace, scratch: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Runs one migration; returns the capture's files by name and its manifest."""
    deadline = Deadline(options.deadline)
    memory, bios, qmp_path, listen_path = (scratch / name for name in ("m", "bios", "qmp", "migrate"))
    fill(memory, options.memory)
    bios.write_bytes(bytes(BIOS_SIZE))
    backend = f"memory-backend-file,id={RAM_BLOCK},mem-path={memory},share=on,size={options.memory}"
    command = [
        *(options.qemu, "-nodefaults", "-display", "none", "-S", "-bios", str(bios)),
        *("-machine", f"{options.machine},accel=tcg,suppress-vmdesc=on,memory-backend={RAM_BLOCK}"),
        *("-object", backend, "-m", f"{options.memory}B"),
        *("-qmp", f"unix:{qmp_path},server=on,wait=off"),
        *(("-L", options.firmware) if options.firmware else ()),
    ]
    with socket.socket(socket.AF_UNIX) as listener, running(command, scratch / "log"):
        listener.bind(str(listen_path))
        listener.listen(1 + options.channels)
        qmp = Qmp(qmp_path, deadline)
        version = qmp.execute("query-version")
        qmp.execute("migrate-set-capabilities", capabilities=[{"capability": "multifd", "state": True}])
        parameters = {"multifd-channels": options.channels, "multifd-compression": options.method}
        qmp.execute("migrate-set-parameters", **parameters, **{"max-bandwidth": 1 << 30})
        qmp.execute("migrate", uri=f"unix:{listen_path}")
        main, *channels = receive(listener, 1 + options.channels, deadline)
        while (status := qmp.execute("query-migrate")["status"]) not in ("completed", "failed"):
            deadline.left(f"the end of the migration ({status})")
            time.sleep(0.02)
        qmp.close()
    if status != "completed":
        raise EnvironmentBroke("the migration failed")
    by_id = {data[:INIT_SIZE][INIT_ID]: data for data in channels}
    release = version["qemu"]
    manifest = {
        "format": "multifd-capture/1",
        "page_size": PAGE_SIZE,
        "method": options.method,
        "dialect": dialect_of((release["major"], release["minor"])),
        "channels": options.channels,
        "ramblocks": ramblocks(main),
        "sha256": {RAM_BLOCK: hashlib.sha256(memory.read_bytes()).hexdigest()},
        "source": "QEMU {major}.{minor}.{micro} ({package})".format(package=version["package"], **release),
    }
    files = {f"channel-{number}.bin": data for number, data in sorted(by_id.items())}
    return {"main.bin": main, **files}, manifest


def byte_count(text: str) -> int:
    """Bytes of a size such as ``16M``; raises :class:`argparse.ArgumentTypeError` if not whole pages."""
    digits, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "")
    if not digits.isdecimal() or (size := int(digits) * UNITS.get(unit, 1)) < 1 << 20 or size % PAGE_SIZE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of pages from 1M, such as 16M")
    return size


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="Record a multifd capture from a real QEMU.")
    parser.add_argument("--qemu", default="qemu-system-x86_64", metavar="PATH")
    parser.add_argument("--firmware", metavar="DIR", help="QEMU's -L")
    parser.add_argument("--machine", default="pc", help="machine type; an older one selects its dialect's habits")
    parser.add_argument("--method", default="zlib", help="multifd-compression")
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--memory", type=byte_count, default=byte_count("16M"), metavar="SIZE")
    parser.add_argument("--deadline", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("out", type=Path, metavar="OUT")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="multifd-") as scratch:
            files, manifest = record(options, Path(scratch))
    except (EnvironmentBroke, OSError) as error:
        parser.exit(3, f"{error}\n")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (options.out / name).write_bytes(data)
    (options.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
