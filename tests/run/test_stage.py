"""What a cell's guest is filled with, and that it has room where somebody else maps it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from multifd.lineup.introduce import resolve
from multifd.memory.image import GuestMemory
from multifd.memory.layout import RamBlock
from multifd.plan.work import Pairing
from multifd.profile.model import PeerEntry, Profile
from multifd.qemu.guest import RAM_BLOCK
from multifd.run.means import Means
from multifd.run.qemu.ram import emptied, filled
from multifd.run.stage import Stage


def pairing(corpus: str, page_size: int = 4096, peer: str = "zlib") -> Pairing:
    return Pairing(
        sender=peer, receiver=peer, sender_framing="zlib", receiver_framing="zlib",
        sender_dialect="qemu-10.0", receiver_dialect="qemu-10.0", scenario="capture", corpus=corpus,
        page_size=page_size, channels=2, sizes={"pc.ram": 20 * page_size},
    )  # fmt: skip


def guest(stage: Stage, corpus: str, page_size: int) -> list[bytes]:
    """Its pages."""
    with GuestMemory.open(stage.script(pairing(corpus, page_size)).expected, writable=False) as memory:
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


def test_the_digest_of_a_migration_is_that_of_the_memory_at_its_end(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "only", 1, None)
    asked = [pairing("text"), pairing("heap"), pairing("text").model_copy(update={"scenario": "live"})]

    for one in (*asked, *asked):
        script = stage.script(one)
        with GuestMemory.open(script.expected, writable=False) as memory:
            assert stage.digest(script) == memory.digest()


# Somebody else's program may touch all of a mapping: what is a hole then is no space, and kills it (SIGBUS)


def held(*files: str | Path) -> int:
    """Bytes that these take."""
    return sum(Path(file).stat().st_blocks for file in files) * 512


@pytest.mark.parametrize("external", [True, False])
def test_memory_for_a_peer_that_is_not_ours_has_room_and_ours_has_holes(external: bool, tmp_path: Path) -> None:
    line_up = resolve("one", Profile(description="one", peers=(PeerEntry(codec="zlib"),)), None)
    peer = line_up.peer("zlib").model_copy(update={"external": external})
    stage, cell = Stage(tmp_path, "only", 1, None), pairing("zero")
    with closing(Means(line_up.model_copy(update={"peers": (peer,)}), stage)) as means:
        script = stage.script(cell)

        means.reserve(cell, script)
        with means.destination(cell) as memory:
            there = held(*(block.path for image in (script.expected, memory.layout) for block in image.blocks))

    assert (there >= 2 * 20 * 4096) == external


def test_a_guest_of_qemu_has_room_for_all_of_its_memory(tmp_path: Path) -> None:
    script = Stage(tmp_path, "only", 1, None).script(pairing("zero").model_copy(update={"sizes": {"pc.ram": 1 << 20}}))
    source, destination = tmp_path / "source", tmp_path / "destination"

    filled(source, script.expected.model_copy(update={"blocks": (renamed(script.expected.blocks[0]),)}))
    emptied(destination, {RAM_BLOCK: 1 << 20})

    assert held(source) >= 1 << 20
    assert held(destination) >= 1 << 20
    assert not any(source.read_bytes() + destination.read_bytes())


def renamed(block: RamBlock) -> RamBlock:
    return block.model_copy(update={"name": RAM_BLOCK})
