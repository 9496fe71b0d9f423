"""What a cell's guest is filled with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from multifd.memory.image import GuestMemory
from multifd.plan.work import Pairing
from multifd.run.stage import Stage


def guest(stage: Stage, corpus: str, page_size: int) -> list[bytes]:
    """Its pages."""
    cell = Pairing(
        sender="zlib", receiver="zlib", sender_framing="zlib", receiver_framing="zlib",
        sender_dialect="qemu-10.0", receiver_dialect="qemu-10.0", scenario="capture", corpus=corpus,
        page_size=page_size, channels=2, sizes={"pc.ram": 20 * page_size},
    )  # fmt: skip
    with GuestMemory.open(stage.script(cell).expected, writable=False) as memory:
        return [page.tobytes() for page in memory.pages("pc.ram")]


@pytest.mark.parametrize("page_size", [4096, 16384, 65536])
def test_content_about_pages_is_about_the_guests_own(page_size: int, tmp_path: Path) -> None:
    stage = Stage(tmp_path, "only", 1, None)

    incompressible = [len(page.rstrip(b"\0")) for page in guest(stage, "page-edge", page_size)]

    assert all(0.9 * page_size < length < page_size for length in incompressible)


@pytest.mark.parametrize("page_size", [4096, 16384, 65536])
def test_a_page_of_the_users_files_stays_a_page_of_the_guest(page_size: int, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    there = np.arange(200).repeat(page_size // 8).tobytes()
    (tmp_path / "files" / "dump").write_bytes(there)

    pages = guest(Stage(tmp_path / "scratch", "only", 1, tmp_path / "files"), "user", page_size)

    assert set(pages) <= {there[at : at + page_size] for at in range(0, len(there), page_size)}
