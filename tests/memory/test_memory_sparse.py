"""Files that are mostly holes: what is data is known, and copies keep the holes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import pytest

from multifd.codec import create
from multifd.errors import EnvironmentBroke
from multifd.evidence.observe import changed, compare, snapshot
from multifd.framing.model import framing
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.rounds import build
from multifd.memory.sparse import PIECE, copy, extents, merged
from multifd.migrate.stream import FileSource
from multifd.migrate.transmit import Transmission, Transmitter
from multifd.wire.dialect import ZeroPages, dialect
from tests.migrate.test_transmit import Sink

SIZE: Final = 48 << 20
LATEST: Final = dialect("qemu-10.0")
STEP: Final = 1 << 20
"""A multiple of what any file system has for a block."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two pieces of data and three holes."""
    path = tmp_path / "file"
    with path.open("wb") as file:
        for at, count in ((5, 2), (40, 1)):
            file.seek(at * STEP)
            file.write(b"\xa5" * count * STEP)
        file.truncate(SIZE)
    return path


def data(path: Path) -> list[tuple[int, int]]:
    with path.open("rb") as file:
        return list(extents(file.fileno(), os.fstat(file.fileno()).st_size))


def test_data_is_told_from_holes(file: Path) -> None:
    assert data(file) == [(5 * STEP, 7 * STEP), (40 * STEP, 41 * STEP)]


def test_a_file_without_data_has_none(tmp_path: Path) -> None:
    (tmp_path / "hole").touch()
    os.truncate(tmp_path / "hole", SIZE)

    assert data(tmp_path / "hole") == []


def test_a_copy_is_equal_and_has_the_same_holes(file: Path, tmp_path: Path) -> None:
    copy(file, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == file.read_bytes()
    assert data(tmp_path / "copy") == data(file)


def test_a_copy_replaces_what_was_there(file: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"old" * STEP)

    copy(file, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == file.read_bytes()


def test_a_copy_that_cannot_be_written_is_the_environments_fault(file: Path, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBroke):
        copy(file, tmp_path / "no" / "directory")


@pytest.mark.parametrize(
    ("several", "unit", "expected"),
    [
        ([], 4096, []),
        ([(1, 2)], 4096, [(0, 4096)]),
        ([(8192, 9000), (0, 100)], 4096, [(0, 4096), (8192, 12288)]),
        ([(0, 10000), (4096, 8192)], 4096, [(0, 12288)]),
        ([(0, 5000), (4096, 12288)], 4096, [(0, 8192), (8192, 12288)]),
        ([(0, 2 * PIECE + 1)], 1, [(0, PIECE), (PIECE, 2 * PIECE), (2 * PIECE, 2 * PIECE + 1)]),
    ],
)
def test_what_any_has_is_looked_at_once(
    several: list[tuple[int, int]], unit: int, expected: list[tuple[int, int]]
) -> None:
    assert list(merged(several, unit)) == expected


def test_memory_is_compared_without_filling_a_hole(tmp_path: Path) -> None:
    sizes = {"m": SIZE}
    with (
        GuestMemory.create(tmp_path / "one", sizes, 4096) as one,
        GuestMemory.create(tmp_path / "two", sizes, 4096) as two,
    ):
        one.write("m", 9 * STEP, b"\x01")

        (difference,) = one.differences(two)

        assert (difference.first, difference.count) == (9 * STEP // 4096, 1)
        assert Path(two.layout.blocks[0].path).stat().st_blocks == 0


def test_nobody_who_looks_at_memory_fills_its_holes() -> None:
    """In tmpfs a load through a mapping takes a page for a hole, and where there is none the process is killed."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        sizes = {"m": 1 << 20}
        script = build(Path(directory) / "script", CORPORA["zero"], 0, sizes, 4096, "single")
        with (
            GuestMemory.open(script.rounds[0].image, writable=False) as memory,
            GuestMemory.create(Path(directory) / "other", sizes, 4096) as other,
        ):
            before = held(memory, other)
            other.write("m", 4096, b"x" * 4096)

            memory.zero_pages("m")
            memory.digest()
            memory.copy("m", 5, 9)
            changed(memory, snapshot(memory))
            compare(other, script)
            compare(memory, script)
            for zero_pages in ZeroPages:
                transmission = Transmission(framing("none"), LATEST, zero_pages, LATEST.main_sync, 1)
                Transmitter(script, transmission, create("none", {}), Sink(), [Sink()]).run()

            assert held(memory, other) == before + 8


def held(*memories: GuestMemory) -> int:
    """Sectors of 512 bytes that these take."""
    return sum(Path(block.path).stat().st_blocks for memory in memories for block in memory.layout.blocks)


def test_a_capture_with_holes_is_read_and_keeps_them() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        path = Path(directory) / "channel"
        path.write_bytes(b"begin")
        with path.open("r+b") as file:
            file.seek(1 << 20)
            file.write(b"end")
        before = path.stat().st_blocks

        content = bytes(FileSource(path).read(2 << 20))

        assert content == b"begin".ljust(1 << 20, b"\0") + b"end"
        assert path.stat().st_blocks == before


def test_what_is_reserved_has_room_for_every_store(tmp_path: Path) -> None:
    with GuestMemory.create(tmp_path, {"a": 1 << 20, "b": 4096}, 4096) as memory:
        memory.reserve_all()

        assert held(memory) >= ((1 << 20) + 4096) // 512
