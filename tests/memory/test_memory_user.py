"""A user's own content: pages from all over the files, in their share, in their order."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from multifd.errors import EnvironmentBroke, InputError
from multifd.memory.corpora.user import STRETCH, File, Files, find
from multifd.memory.corpus import user_corpus
from multifd.memory.dice import Dice
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageSize
from multifd.memory.rounds import build

PAGE = 4096
PAGE_SIZES: tuple[PageSize, ...] = (4096, 16384, 65536)
Place = tuple[int, int]
"""Which file, which page of it."""

lengths = st.lists(st.integers(1, 100), min_size=1, max_size=8)
"""Pages of some files."""


@contextmanager
def numbered(pages: Sequence[int], page_size: int = PAGE) -> Iterator[Files]:
    """Files of so many pages, each of which begins with its file's and its own number; the last page is cut."""
    with tempfile.TemporaryDirectory() as directory:
        for number, count in enumerate(pages):
            content = np.zeros((count, page_size // 8), np.int64)
            content[:, 0], content[:, 1] = number, np.arange(count)
            content[:, 2] = -1
            Path(directory, f"{number:03}").write_bytes(content.tobytes()[: -page_size + 24])
        yield find(Path(directory))


def rows(files: Files, pages: int, seed: int = 1, page_size: int = PAGE) -> NDArray[np.uint8]:
    content = files.content(page_size, pages * page_size, Dice(seed))
    return np.frombuffer(content, np.uint8).reshape(-1, page_size)


def taken(files: Files, pages: int, seed: int = 1, page_size: int = PAGE) -> list[Place]:
    """Where the pages are from; they are whole."""
    content = rows(files, pages, seed, page_size)
    assert (content[:, 16:24] == 0xFF).all() and not content[:, 24:].any()
    return [(int(file), int(page)) for file, page in content[:, :16].copy().view(np.int64)]


def write(directory: Path, **content: bytes) -> Files:
    for name, data in content.items():
        (directory / name).write_bytes(data)
    return find(directory)


@settings(max_examples=20)
@given(lengths, st.sampled_from(PAGE_SIZES), st.data())
def test_pages_of_the_files_stay_pages_and_come_in_order_none_twice(
    pages: list[int], page_size: int, data: st.DataObject
) -> None:
    pages = [1 + count * PAGE // page_size for count in pages]
    with numbered(pages, page_size) as files:
        places = taken(files, data.draw(st.integers(1, sum(pages))), data.draw(st.integers(0, 2**63)), page_size)

    assert places == sorted(set(places))


@settings(max_examples=20)
@given(lengths, st.data())
def test_every_file_gives_what_is_due_to_it(pages: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, sum(pages)))

    with numbered(pages) as files:
        given_by = Counter(file for file, _ in taken(files, count, data.draw(st.integers(0, 2**63))))

    assert all(abs(given_by[file] - size * count / sum(pages)) < 1 for file, size in enumerate(pages))


@settings(max_examples=20)
@given(st.integers(1, 3000), st.data())
def test_every_part_of_a_file_gives_what_is_due_to_it_but_for_a_stretch(size: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, size))

    with numbered([size]) as files:
        places = [page for _, page in taken(files, count, data.draw(st.integers(0, 2**63)))]

    share = np.searchsorted(places, np.arange(size)) - np.arange(size) * count / size
    assert abs(share).max() <= STRETCH // PAGE + 1


@settings(max_examples=40)
@given(st.floats(0, 1), st.integers(1, 60), st.integers(0, 2**63))
def test_pages_of_a_kind_keep_their_share(share: float, run: int, seed: int) -> None:
    kind = (np.random.default_rng(seed).random(65536 // run + 1) < share).repeat(run)[:65536]
    dump = Files(Path(), (File("dump", len(kind) * PAGE),))

    ((_, stretches),) = dump.stretches(PAGE, 1024, Dice(seed))
    sample = np.concatenate([kind[first : first + count] for first, count in stretches])

    # Of 128 stretches each is at worst of one kind: five times the standard deviation of what is drawn freely.
    assert len(sample) == 1024
    assert abs(kind.mean() - sample.mean()) < 5 * 0.5 / 128**0.5


def test_neighbours_are_taken_together() -> None:
    with numbered([20_000]) as files:
        places = [page for _, page in taken(files, 512)]

    assert np.flatnonzero(np.diff(places) != 1).tolist() == list(range(7, 511, 8))


def test_all_content_is_used_once_and_then_again() -> None:
    with numbered([2, 3]) as files:
        places = taken(files, 12)

    once = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert places == [*once, *once, *once[:2]]


def test_content_that_is_no_larger_than_asked_for_does_not_depend_on_the_seed() -> None:
    with numbered([2, 3]) as files:
        assert taken(files, 5, seed=1) == taken(files, 5, seed=2) == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]


@pytest.mark.parametrize("pages", [[1000], [500, 9, 700]], ids=["one file", "files"])
def test_the_same_seed_takes_the_same_pages_and_another_one_others(pages: list[int]) -> None:
    with numbered(pages) as files:
        assert taken(files, 100, seed=1) == taken(find(files.directory), 100, seed=1) != taken(files, 100, seed=2)


@pytest.mark.parametrize("size", [0, 1, PAGE - 1, PAGE + 1, 7 * PAGE + 5])
def test_as_many_bytes_come_as_are_asked_for(size: int) -> None:
    with numbered([3, 2]) as files:
        assert len(files.content(PAGE, size, Dice(1))) == size


def test_a_file_begins_on_a_page_of_its_own_and_zeros_fill_its_last_one_up(tmp_path: Path) -> None:
    files = write(tmp_path, b=b"bb", a=b"a" * (PAGE + 1))

    assert bytes(files.content(PAGE, 3 * PAGE, Dice(1))) == (
        b"a" * (PAGE + 1) + bytes(PAGE - 1) + b"bb" + bytes(PAGE - 2)
    )


def test_many_small_files_are_a_page_each(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"{number:04}").write_bytes(b"%d" % number)

    first = [int(bytes(row).rstrip(b"\0")) for row in rows(find(tmp_path), 100)]

    assert first == sorted(first)
    assert all(20 * number <= value < 20 * (number + 1) for number, value in enumerate(first))


def test_files_stand_in_the_order_of_the_bytes_of_their_paths(tmp_path: Path) -> None:
    names = [b"a-b", b"a/b", b"a/\xff", b"z", "\N{SLIGHTLY SMILING FACE}".encode(), b"\xff"]
    (tmp_path / "a").mkdir()
    for name in reversed(names):
        (tmp_path / os.fsdecode(name)).write_bytes(name)

    assert [bytes(row).rstrip(b"\0") for row in rows(find(tmp_path), len(names))] == names


def test_a_hole_of_terabytes_costs_nothing(tmp_path: Path) -> None:
    with (tmp_path / "dump").open("wb") as dump:
        dump.truncate(1 << 42)
        dump.write(b"x" * PAGE)

    assert not rows(find(tmp_path), 512)[8:].any()


def test_links_and_what_is_no_regular_file_are_left_out(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "file").write_bytes(b"out")
    (inside / "file").write_bytes(b"in")
    (inside / "empty").touch()
    (inside / "link").symlink_to(outside / "file")
    (inside / "folder").symlink_to(outside)
    os.mkfifo(inside / "fifo")

    assert find(inside).files == (File(str(inside / "file"), 2),)


def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")

    assert [file.size for file in find(tmp_path / "link").files] == [1]


def test_it_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "none"

    with pytest.raises(InputError) as error:
        find(path)

    assert str(error.value) == f"corpus: {path} does not exist, expected a directory with files"


def test_it_must_be_a_directory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()

    with pytest.raises(InputError) as error:
        find(path)

    assert str(error.value) == f"corpus: {path} is not a directory, expected a directory with files"


def test_it_must_have_content(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "empty").touch()

    with pytest.raises(InputError) as error:
        find(tmp_path)

    assert str(error.value) == (
        f"corpus: {tmp_path} holds no regular file that is not empty, expected at least one; links are not followed"
    )


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    scandir = os.scandir

    def refusing(path: str) -> Iterator[os.DirEntry[str]]:  # root may read everything
        if path.endswith("sub"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)

    with pytest.raises(InputError) as error:
        find(tmp_path)

    assert str(error.value) == f"corpus: {tmp_path}/sub: Permission denied"


def test_a_file_that_vanished_is_named_whatever_bytes_its_name_has(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    path.write_bytes(b"x")
    files = find(tmp_path)
    path.unlink()

    with pytest.raises(EnvironmentBroke) as error:
        files.content(PAGE, PAGE, Dice(1))

    assert str(error.value) == f"{tmp_path}/\\xff: No such file or directory"


def test_a_file_that_became_shorter_is_named(tmp_path: Path) -> None:
    files = write(tmp_path, dump=b"x" * 3 * PAGE)
    os.truncate(tmp_path / "dump", PAGE + 1)

    with pytest.raises(EnvironmentBroke) as error:
        files.content(PAGE, 3 * PAGE, Dice(1))

    assert str(error.value) == f"{tmp_path}/dump: ends at byte {PAGE + 1}, had {3 * PAGE} bytes before"


def test_what_comes_in_pieces_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    preadv = os.preadv
    monkeypatch.setattr("os.preadv", lambda source, rooms, at: preadv(source, [rooms[0][:1000]], at))

    with numbered([20]) as files:
        assert taken(files, 20) == [(0, page) for page in range(20)]


def test_what_a_file_has_grown_by_is_not_there(tmp_path: Path) -> None:
    files = write(tmp_path, dump=b"x")
    (tmp_path / "dump").write_bytes(b"xyz" * PAGE)

    assert bytes(files.content(PAGE, PAGE, Dice(1))) == b"x" + bytes(PAGE - 1)


@pytest.mark.parametrize("page_size", PAGE_SIZES)
@pytest.mark.parametrize("shape", ["single", "dirty", "partial"])
def test_what_a_guest_sends_are_pages_of_the_files(shape: str, page_size: PageSize, tmp_path: Path) -> None:
    with numbered([300], page_size) as files:
        corpus = user_corpus(files).of_pages(page_size)
        script = build(tmp_path, corpus, 1, {"pc.ram": 40 * page_size}, page_size, shape)
        known = {
            row[8:].tobytes() for row in rows(files, 300, page_size=page_size)
        }  # a rewritten page's first byte differs

    with GuestMemory.open(script.expected, writable=False) as memory:
        assert {row[8:].tobytes() for row in memory.pages("pc.ram")} <= {*known, bytes(page_size - 8)}


def test_it_says_how_many_files_it_has() -> None:
    with numbered([2, 3]) as files:
        corpus = user_corpus(files)

    assert (corpus.name, corpus.description) == ("user", f"2 files below {files.directory}")
    assert not corpus.portable
