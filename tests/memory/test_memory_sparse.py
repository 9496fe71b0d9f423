"""Files that are mostly holes: what is data is known, and copies keep the holes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from multifd.errors import EnvironmentBroke
from multifd.memory.image import GuestMemory
from multifd.memory.sparse import PIECE, copy, extents, merged

SIZE: Final = 48 << 20
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
