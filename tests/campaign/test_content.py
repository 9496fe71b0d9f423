"""What is said of the user's own content is what a guest gets of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from multifd.campaign.content import surveyed
from multifd.errors import InputError
from multifd.memory.corpora.user import find
from multifd.memory.image import GuestMemory, zero_rows
from multifd.plan.work import Pairing
from multifd.result.record import UserContent
from multifd.run.stage import Stage

PAGE = 4096


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Of eight neighbouring pages two are zero and three equal, of 1,600."""
    pages = np.arange(1, 1601, dtype=np.int64)
    pages[0::8] = pages[1::8] = 0
    pages[2::8] = pages[3::8] = pages[4::8] = -7
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps" / "guest").write_bytes(pages.repeat(PAGE // 8).tobytes())
    return tmp_path / "dumps"


def survey(directory: Path, memory: int) -> UserContent:
    return surveyed(find(directory), memory, 1)


def test_it_is_as_much_as_the_memory_takes(dump: Path) -> None:
    content = survey(dump, 2 << 20)

    assert (content.path, content.files) == (str(dump), 1)
    assert (content.bytes_there, content.bytes_taken, content.bytes_memory) == (1600 * PAGE, 2 << 20, 2 << 20)


def test_of_a_larger_memory_it_is_all_that_is_there(dump: Path) -> None:
    content = survey(dump, 16 << 20)

    assert (content.bytes_there, content.bytes_taken, content.bytes_memory) == (1600 * PAGE, 1600 * PAGE, 16 << 20)


def test_zero_pages_are_not_counted_among_equal_ones(dump: Path) -> None:
    content = survey(dump, 16 << 20)

    assert (content.zero_share, content.duplicate_share) == (400 / 1600, 599 / 1600)


def test_a_file_is_there_with_all_its_pages(dump: Path) -> None:
    (dump / "small").write_bytes(b"x")

    assert survey(dump, 2 << 20).bytes_there == 1601 * PAGE


def test_zeros_alone_are_refused_for_no_codec_would_get_any_of_them(tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(3 * PAGE))

    with pytest.raises(InputError, match=r"corpus: of .* all 3 pages taken are zero.* --memory.* --seed"):
        survey(tmp_path, 2 << 20)


def test_it_is_what_a_guest_of_a_captured_cell_has(tmp_path: Path) -> None:
    kinds = np.random.default_rng(1).integers(0, 400, 5000)
    (tmp_path / "guest").write_bytes(np.maximum(kinds - 100, 0).repeat(PAGE // 8).tobytes())
    cell = Pairing(
        sender="zlib", receiver="zlib", sender_framing="zlib", receiver_framing="zlib",
        sender_dialect="qemu-10.0", receiver_dialect="qemu-10.0", scenario="capture", corpus="user", page_size=PAGE,
        channels=2, sizes={"pc.ram": 3 << 19, "vga.vram": 1 << 19},
    )  # fmt: skip
    with TemporaryDirectory() as scratch:
        script = Stage(Path(scratch), "only", 7, tmp_path).script(cell)
        with GuestMemory.open(script.expected, writable=False) as memory:
            pages = np.concatenate([memory.pages(block) for block in cell.sizes])

    content = surveyed(find(tmp_path), 2 << 20, 7)

    rest = pages[~zero_rows(pages)]
    assert len(rest) == round((1 - content.zero_share) * 512)
    assert len(rest) - len(np.unique(rest, axis=0)) == round(content.duplicate_share * 512)
