"""Columns: what is packed is what a reader of the format finds."""

from __future__ import annotations

import pytest

from reports.columns import packed
from tests.reports.packed import Packed


def test_every_row_finds_its_values_again() -> None:
    text = packed(
        5, {"verdict": ["pass", "fail", "pass", None, "pass"], "issues": [(), ("a", "b"), (), (), ("a",)]}, {}
    )

    read = Packed(text)

    assert read["verdict"] == ["pass", "fail", "pass", None, "pass"]
    assert read["issues"] == [[], ["a", "b"], [], [], ["a"]]


@pytest.mark.parametrize(("values", "width"), [(256, 1), (257, 2), (65_536, 2), (65_537, 4)])
def test_numbers_are_as_wide_as_they_must_be(values: int, width: int) -> None:
    column = [*range(values), 0, values - 1]

    read = Packed(packed(len(column), {"n": column, "after": [7] * len(column)}, {}))

    assert (read["n"], read.widths["n"]) == (column, width)


def test_a_column_of_different_values_has_no_numbers() -> None:
    names = [f"cell-{k:05}" for k in range(2000)]

    assert Packed(packed(2000, {"id": names}, {}))["id"] == names
    assert len(packed(2000, {"id": names}, {})) < len(packed(2001, {"id": [*names, names[0]]}, {}))


def test_facts_stand_beside_the_columns() -> None:
    assert Packed(packed(0, {"id": []}, {"released": ["zlib"]})).facts == {"released": ["zlib"]}


def test_text_is_visible_in_values_and_facts() -> None:
    read = Packed(packed(2, {"error": ["\x1b", ("a", "\x07")]}, {"kinds": {"\x08": "\x00"}}))

    assert (read["error"], read.facts) == (["\\u001b", ["a", "\\u0007"]], {"kinds": {"\\u0008": "\\u0000"}})
