"""Images: mapped files, what is written to them, what differs between two of them."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.errors import EnvironmentBroke, HarnessError, InputError
from multifd.memory.image import Difference, GuestMemory
from multifd.memory.layout import MemoryLayout, RamBlock
from multifd.memory.sparse import PIECE

PAGE: Final = 4096
SHARED_MEMORY: Final = Path("/dev/shm")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[GuestMemory]:
    with GuestMemory.create(tmp_path, {"pc.ram": 4 * PAGE, "/rom@etc/acpi": 2 * PAGE}, PAGE) as memory:
        yield memory


def test_a_new_image_is_zero(memory: GuestMemory) -> None:
    assert bytes(memory.view("pc.ram")) == bytes(4 * PAGE)
    assert memory.zero_pages("pc.ram").all()


def test_a_new_image_takes_no_space(memory: GuestMemory) -> None:
    assert [Path(block.path).stat().st_blocks for block in memory.layout.blocks] == [0, 0]


def test_a_new_image_forgets_the_old_one(tmp_path: Path) -> None:
    with GuestMemory.create(tmp_path, {"m": PAGE}, PAGE) as old:
        old.write("m", 0, b"old")

    with GuestMemory.create(tmp_path, {"m": PAGE}, PAGE) as new:
        assert new.zero_pages("m").all()


def test_files_are_named_after_their_blocks(memory: GuestMemory, tmp_path: Path) -> None:
    assert [block.path for block in memory.layout.blocks] == [
        f"{tmp_path}/pc.ram.ram",
        f"{tmp_path}/%2From@etc%2Facpi.ram",
    ]


def test_the_longest_block_names_have_files_of_their_own(tmp_path: Path) -> None:
    names = ["/" * 254 + end for end in "ab"]

    with GuestMemory.create(tmp_path, dict.fromkeys(names, PAGE), PAGE) as memory:
        memory.write(names[0], 0, b"a")

        assert memory.zero_pages(names[1]).all()


def test_a_block_that_is_called_like_the_file_of_a_long_one_has_another(tmp_path: Path) -> None:
    long = "x" * 255
    likewise = [f"{long[:160]}{sign}{hashlib.sha256(long.encode()).hexdigest()}" for sign in "-+~_."]

    with GuestMemory.create(tmp_path, dict.fromkeys([long, *likewise], PAGE), PAGE) as memory:
        memory.write(long, 0, b"a")

        assert all(memory.zero_pages(name).all() for name in likewise)


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="this host has no shared memory; remedy: mount tmpfs there")
def test_a_digest_of_holes_fills_none_of_them() -> None:
    with (
        tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as directory,
        GuestMemory.create(Path(directory), {"m": 3 * PIECE + PAGE}, PAGE) as memory,
    ):
        memory.write("m", PIECE + 5, b"guest")
        content = bytearray(3 * PIECE + PAGE)
        content[PIECE + 5 : PIECE + 10] = b"guest"

        assert memory.digest() == {"m": hashlib.sha256(content).hexdigest()}
        assert Path(directory, "m.ram").stat().st_blocks == PAGE // 512


def test_what_is_cleared_is_zero_and_nothing_else_is(memory: GuestMemory) -> None:
    memory.write("pc.ram", 0, b"\xa5" * 4 * PAGE)

    memory.clear("pc.ram", PAGE, 2 * PAGE)

    assert memory.zero_pages("pc.ram").tolist() == [False, True, True, False]


def test_what_is_cleared_within_a_hole_stays_one(memory: GuestMemory) -> None:
    memory.clear("pc.ram", 0, 4 * PAGE)

    assert Path(memory.layout.blocks[0].path).stat().st_blocks == 0


def test_nothing_is_cleared_outside_a_block(memory: GuestMemory) -> None:
    with pytest.raises(HarnessError, match="offset is 4096 for 16384 bytes"):
        memory.clear("pc.ram", PAGE, 4 * PAGE)


def test_a_write_is_seen_by_every_view(memory: GuestMemory) -> None:
    view, pages = memory.view("pc.ram"), memory.pages("pc.ram")

    memory.write("pc.ram", PAGE + 1, b"guest")

    assert bytes(view[PAGE + 1 : PAGE + 6]) == b"guest"
    assert bytes(pages[1, 1:6]) == b"guest"


def test_a_write_is_seen_by_another_mapping(memory: GuestMemory) -> None:
    with GuestMemory.open(memory.layout, writable=False) as other:
        memory.write("pc.ram", 0, b"guest")

        assert bytes(other.view("pc.ram")[:5]) == b"guest"


def test_a_view_of_writable_memory_writes(memory: GuestMemory) -> None:
    memory.pages("pc.ram")[2] = 7

    assert Path(memory.layout.blocks[0].path).read_bytes() == bytes(2 * PAGE) + b"\7" * PAGE + bytes(PAGE)


def test_a_view_of_other_memory_does_not(memory: GuestMemory) -> None:
    with GuestMemory.open(memory.layout, writable=False) as other:
        assert other.view("pc.ram").readonly
        assert not other.pages("pc.ram").flags.writeable


def test_pages_are_not_a_copy(memory: GuestMemory) -> None:
    pages = memory.pages("pc.ram")

    assert pages.shape == (4, PAGE)
    assert np.shares_memory(pages, np.frombuffer(memory.view("pc.ram"), np.uint8))


def test_zero_pages_are_those_without_any_byte_set(memory: GuestMemory) -> None:
    memory.write("pc.ram", 2 * PAGE - 1, b"\x80")
    memory.write("pc.ram", 2 * PAGE, b"\x01")

    assert memory.zero_pages("pc.ram").tolist() == [True, False, False, True]


def test_the_digest_is_sha256_of_each_block(memory: GuestMemory) -> None:
    memory.write("pc.ram", 0, b"guest")

    assert memory.digest() == {
        "pc.ram": hashlib.sha256(b"guest" + bytes(4 * PAGE - 5)).hexdigest(),
        "/rom@etc/acpi": hashlib.sha256(bytes(2 * PAGE)).hexdigest(),
    }


def test_a_view_outlives_its_memory(memory: GuestMemory) -> None:
    memory.write("pc.ram", 0, b"guest")
    view = memory.view("pc.ram")

    memory.close()

    assert bytes(view[:5]) == b"guest"


def test_closing_lets_go_of_the_files(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (no file of ours)

    GuestMemory.create(tmp_path, {"m": PAGE}, PAGE).close()

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.ram"
    layout = MemoryLayout(page_size=PAGE, blocks=(RamBlock(name="m", size=PAGE, path=str(path)),))

    with pytest.raises(InputError) as error:
        GuestMemory.open(layout, writable=False)

    assert str(error.value) == f"{path}: no such file, expected 4096 bytes of RAM block 'm'"


@pytest.mark.parametrize("size", [0, PAGE - 1, PAGE + 1])
def test_a_file_of_the_wrong_size_is_named(tmp_path: Path, size: int) -> None:
    path = tmp_path / "m.ram"
    path.write_bytes(bytes(size))
    layout = MemoryLayout(page_size=PAGE, blocks=(RamBlock(name="m", size=PAGE, path=str(path)),))

    with pytest.raises(InputError) as error:
        GuestMemory.open(layout, writable=False)

    assert str(error.value) == f"{path}: size is {size}, expected 4096 bytes of RAM block 'm'"


def test_a_directory_that_cannot_be_made_is_the_hosts_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EnvironmentBroke) as error:
        GuestMemory.create(tmp_path / "file" / "image", {"m": PAGE}, PAGE)

    assert str(error.value) == f"{tmp_path}/file/image: Not a directory"


def test_a_full_file_system_is_the_hosts_fault(memory: GuestMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(EnvironmentBroke) as error:
        memory.write("pc.ram", 0, b"guest")

    assert str(error.value) == f"{memory.layout.blocks[0].path}: No space left on device"


def test_a_short_write_is_continued(memory: GuestMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: whole(file, data[:2], offset))

    memory.write("pc.ram", 0, b"guest")

    assert bytes(memory.view("pc.ram")[:6]) == b"guest\0"


@pytest.mark.parametrize("offset", [-1, 4 * PAGE - 4])
def test_a_write_stays_inside_its_block(memory: GuestMemory, offset: int) -> None:
    with pytest.raises(HarnessError) as error:
        memory.write("pc.ram", offset, b"guest")

    assert str(error.value) == (f"offset is {offset} for 5 bytes, expected them within 16384 bytes of 'pc.ram'")


def test_what_is_read_is_what_the_block_holds(memory: GuestMemory) -> None:
    memory.write("pc.ram", PAGE, b"guest")
    buffer = bytearray(6)

    memory.read("pc.ram", PAGE - 1, memoryview(buffer))

    assert buffer == b"\0guest"


def test_a_short_read_is_continued(memory: GuestMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.preadv
    memory.write("pc.ram", 0, b"guest")
    monkeypatch.setattr(os, "preadv", lambda file, buffers, offset: whole(file, [buffers[0][:2]], offset))
    buffer = bytearray(5)

    memory.read("pc.ram", 0, memoryview(buffer))

    assert buffer == b"guest"


def test_a_file_that_was_cut_is_the_hosts_fault(memory: GuestMemory) -> None:
    path = memory.layout.blocks[0].path
    os.truncate(path, PAGE)

    with pytest.raises(EnvironmentBroke) as error:
        memory.read("pc.ram", 0, memoryview(bytearray(2 * PAGE)))

    assert str(error.value) == f"{path}: it ends at byte 4096"


@pytest.mark.parametrize("offset", [-1, 4 * PAGE - 4])
def test_a_read_stays_inside_its_block(memory: GuestMemory, offset: int) -> None:
    with pytest.raises(HarnessError) as error:
        memory.read("pc.ram", offset, memoryview(bytearray(5)))

    assert str(error.value) == (f"offset is {offset} for 5 bytes, expected them within 16384 bytes of 'pc.ram'")


def test_an_unknown_block_is_a_defect(memory: GuestMemory) -> None:
    with pytest.raises(HarnessError) as error:
        memory.view("vga")

    assert str(error.value) == "block is 'vga', expected one of ['pc.ram', '/rom@etc/acpi']"


def test_a_byte_far_behind_is_cleared_too(tmp_path: Path) -> None:
    size = (3 << 20) + PAGE
    with GuestMemory.create(tmp_path, {"pc.ram": size}, PAGE) as memory:
        memory.write("pc.ram", size - 1, b"\1")

        memory.clear("pc.ram", 0, size - 1)
        assert not memory.zero_pages("pc.ram").all()
        memory.clear("pc.ram", 0, size)
        assert memory.zero_pages("pc.ram").all()


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="there is no tmpfs at /dev/shm")
def test_clearing_and_reading_fill_no_hole_of_a_tmpfs() -> None:
    with (
        tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as directory,
        GuestMemory.create(Path(directory), {"pc.ram": 4 * PAGE}, PAGE) as memory,
    ):
        memory.read("pc.ram", 0, memoryview(bytearray(PAGE)))
        memory.clear("pc.ram", 0, 4 * PAGE)
        assert Path(memory.layout.blocks[0].path).stat().st_blocks == 0


def test_reserved_pages_have_storage(memory: GuestMemory) -> None:
    memory.reserve("pc.ram", PAGE, 2 * PAGE)

    assert Path(memory.layout.blocks[0].path).stat().st_blocks * 512 >= 2 * PAGE


@settings(max_examples=50)
@given(
    page_size=st.sampled_from([4096, 16384, 65536]),
    changed=st.sets(st.tuples(st.sampled_from("ab"), st.integers(0, 11)), max_size=12),
    at=st.integers(0, 4095),
)
def test_exactly_the_differing_pages_are_found(page_size: Any, changed: set[tuple[str, int]], at: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        sizes = {"a": 12 * page_size, "b": 12 * page_size}
        with (
            GuestMemory.create(Path(directory, "one"), sizes, page_size) as one,
            GuestMemory.create(Path(directory, "two"), sizes, page_size) as two,
        ):
            for block, page in changed:
                two.write(block, page * page_size + at, b"\x01")

            found = one.differences(two, limit=24)

    pages = [(run.block, run.first + n) for run in found for n in range(run.count)]
    assert pages == sorted(changed)


def test_a_run_goes_on_across_the_chunks_that_are_compared(tmp_path: Path) -> None:
    border = PIECE // PAGE
    sizes = {"m": 2 * PIECE + PAGE}
    with (
        GuestMemory.create(tmp_path / "one", sizes, PAGE) as one,
        GuestMemory.create(tmp_path / "two", sizes, PAGE) as two,
    ):
        for page in (5, border - 1, border, border + 1, 2 * border):
            two.write("m", page * PAGE, b"\x01")

        found = one.differences(two)

    assert found == [Difference("m", 5, 1), Difference("m", border - 1, 3), Difference("m", 2 * border, 1)]


def test_only_the_first_differences_are_told(memory: GuestMemory, tmp_path: Path) -> None:
    with GuestMemory.create(tmp_path / "other", memory.layout.sizes, PAGE) as other:
        for page in (0, 2, 3):
            other.write("pc.ram", page * PAGE, b"\x01")

        assert memory.differences(other, limit=1) == [Difference("pc.ram", 0, 1)]


def test_only_equal_layouts_can_be_compared(memory: GuestMemory, tmp_path: Path) -> None:
    with (
        GuestMemory.create(tmp_path / "other", {"m": PAGE}, PAGE) as other,
        pytest.raises(HarnessError) as error,
    ):
        memory.differences(other)

    assert str(error.value) == ("blocks are {'m': 4096}, expected {'pc.ram': 16384, '/rom@etc/acpi': 8192}")
