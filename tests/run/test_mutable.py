"""Memory that changes while it is sent: made once for a worker, the part that changes once for each cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout
from multifd.plan.work import Pairing
from multifd.run.stage import Stage

CELL = Pairing(
    sender="zlib", receiver="zlib", sender_framing="zlib", receiver_framing="zlib",
    sender_dialect="qemu-10.0", receiver_dialect="qemu-10.0", scenario="mutating", corpus="text", page_size=4096,
    channels=2, sizes={"pc.ram": 128 << 10, "vga.vram": 64 << 10},
)  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, "only", 1, None)


def paths(image: MemoryLayout) -> set[str]:
    return {block.path for block in image.blocks}


def content(image: MemoryLayout) -> dict[str, str]:
    with GuestMemory.open(image, writable=False) as memory:
        return memory.digest()


def test_two_cells_change_different_files(stage: Stage) -> None:
    with stage.mutable(CELL) as (one, changing), stage.mutable(CELL) as (other, same):
        assert paths(one.rounds[0].image) & paths(other.rounds[0].image) == set()
        assert changing == same


def test_what_one_cell_changed_is_as_before_for_the_next(stage: Stage) -> None:
    with stage.mutable(CELL) as (script, changing):
        before = content(script.rounds[0].image)
        with GuestMemory.open(script.rounds[0].image, writable=True) as memory:
            memory.pages(changing[0].block)[changing[0].first] = 0xA5
        assert content(script.rounds[0].image) != before

    with stage.mutable(CELL) as (script, _):
        assert content(script.rounds[0].image) == before


def test_the_image_to_compare_with_is_made_once(stage: Stage) -> None:
    with stage.mutable(CELL) as (one, _), stage.mutable(CELL) as (other, _):
        assert one.expected == other.expected


def test_what_a_cell_changed_goes_with_it(stage: Stage) -> None:
    with stage.mutable(CELL) as (script, _):
        changed = paths(script.rounds[0].image)

    assert [path for path in changed if Path(path).exists()] == []


def test_the_messages_of_the_contract_take_such_a_script(stage: Stage) -> None:
    with stage.mutable(CELL) as (script, _):
        assert type(script).model_validate_json(script.model_dump_json(warnings="error")) == script
