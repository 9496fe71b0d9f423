"""docs/coverage.md says what the plan has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from multifd.memory.blocks import BLOCKS
from multifd.plan.space import CHANNELS, FILLS, PAGE_SIZES, Factor

PAGE: Final = (Path(__file__).resolve().parents[2] / "docs/coverage.md").read_text(encoding="utf-8")
ROWS: Final = dict(re.findall(r"^\| ([a-z ,]+) \| (.+) \|$", PAGE, re.M))


def numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"\d+", text)}


def test_it_has_every_factor() -> None:
    named = [name for row in ROWS if row != "factor" for name in row.split(", ")]

    assert named == [factor.words for factor in Factor]


def test_it_has_the_numbers_of_the_space() -> None:
    assert numbers(ROWS["page size"]) == {size >> 10 for size in PAGE_SIZES}
    assert numbers(ROWS["channels"]) == {*CHANNELS, 255}
    assert len(ROWS["blocks"].split(",")) == len(BLOCKS)
    assert len(ROWS["fill"].split(", ")) == len(FILLS)
