"""Layouts and scripts: what is accepted, and the words in which the rest is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from multifd.memory.layout import MemoryLayout, PageRun, RamBlock, Round, Script, runs


def ram(name: str = "pc.ram", pages: int = 4) -> RamBlock:
    return RamBlock(name=name, size=pages * 4096, path=f"/images/{name}")


def layout(*blocks: RamBlock) -> MemoryLayout:
    return MemoryLayout(page_size=4096, blocks=blocks or (ram(),))


def message(error: pytest.ExceptionInfo[ValidationError]) -> str:
    return str(error.value.errors()[0]["msg"])


@pytest.mark.parametrize("name", ["m", "/rom@etc/acpi/tables", "n" * 255])
def test_a_block_name_is_up_to_255_ascii_bytes(name: str) -> None:
    assert ram(name).name == name


@pytest.mark.parametrize("name", ["", "n" * 256, "größe", "a\0b", "a\n\0"])
def test_no_other_block_name_fits_a_packet(name: str) -> None:
    with pytest.raises(ValidationError):
        ram(name)


def test_a_block_is_whole_pages() -> None:
    odd = RamBlock(name="m", size=4097, path="/m")

    with pytest.raises(ValidationError) as error:
        layout(odd)

    assert message(error) == "Value error, block 'm': size is 4097, expected a multiple of 4096"


def test_block_names_are_unique() -> None:
    with pytest.raises(ValidationError) as error:
        layout(ram("m"), ram("m"))

    assert message(error) == "Value error, blocks: names are ['m', 'm'], expected each once"


@pytest.mark.parametrize("page_size", [0, 512, 8192])
def test_only_page_sizes_of_guests(page_size: Any) -> None:
    with pytest.raises(ValidationError):
        MemoryLayout(page_size=page_size, blocks=(ram(),))


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        RamBlock.model_validate({"name": "m", "size": 4096, "path": "/m", "offset": 0})


def test_models_are_frozen() -> None:
    with pytest.raises(ValidationError, match="Instance is frozen"):
        ram().size = 0


def test_a_run_may_end_with_its_block() -> None:
    sent = Round(image=layout(), pages=(PageRun(block="pc.ram", first=3, count=1),))

    assert sent.pages[0].stop == 4


def test_a_run_lies_inside_its_block() -> None:
    with pytest.raises(ValidationError) as error:
        Round(image=layout(), pages=(PageRun(block="pc.ram", first=3, count=2),))

    assert message(error) == (
        "Value error, pages: block 'pc.ram' has 4 pages, expected at least 5 for the run from page 3"
    )


def test_a_run_names_a_block_of_the_image() -> None:
    with pytest.raises(ValidationError) as error:
        Round(image=layout(), pages=(PageRun(block="vga", first=0, count=1),))

    assert message(error) == "Value error, pages: block is 'vga', expected one of ['pc.ram']"


def test_all_rounds_have_the_page_size_of_the_script() -> None:
    with pytest.raises(ValidationError) as error:
        Script(page_size=16384, rounds=(Round(image=layout(), pages=()),))

    assert message(error) == "Value error, round 0: page size is 4096, expected 16384"


def test_all_rounds_have_the_same_blocks() -> None:
    small, large = (Round(image=layout(ram(pages=pages)), pages=()) for pages in (1, 2))

    with pytest.raises(ValidationError) as error:
        Script(page_size=4096, rounds=(small, large))

    assert message(error) == "Value error, round 0: blocks are {'pc.ram': 4096}, expected {'pc.ram': 8192}"


def test_a_script_has_a_round() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        Script(page_size=4096, rounds=())


def test_the_last_image_is_expected() -> None:
    images = [layout(RamBlock(name="m", size=4096, path=path)) for path in ("/before", "/after")]

    script = Script(page_size=4096, rounds=tuple(Round(image=image, pages=()) for image in images))

    assert script.expected == images[1]


def test_a_script_survives_json() -> None:
    script = Script(page_size=4096, rounds=(Round(image=layout(), pages=(PageRun(block="pc.ram", first=0, count=4),)),))

    assert Script.model_validate_json(script.model_dump_json()) == script


@given(st.lists(st.booleans()))
def test_runs_are_the_longest_stretches_of_true(mask: list[bool]) -> None:
    found = list(runs(np.array(mask, np.bool_)))

    covered = [index for first, count in found for index in range(first, first + count)]
    assert covered == [index for index, value in enumerate(mask) if value]
    assert all(left + count < right for (left, count), (right, _) in pairwise(found))
