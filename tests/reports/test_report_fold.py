"""Folding a matrix: what ends alike with everybody is shown once."""

from __future__ import annotations

from reports.fold import folded
from reports.matrix import Matrix
from reports.model import wire_matrices
from tests.reports.builder import cell, results


def matrix(*cells: object) -> Matrix:
    return wire_matrices(results(*cells))["zlib"]  # type: ignore[arg-type]


def names(shown: Matrix) -> tuple[list[str], list[str]]:
    return [row.label.name for row in shown.rows], [column.name for column in shown.columns]


def test_levels_that_end_alike_stand_in_one_row() -> None:
    shown = folded(
        matrix(*(cell(sender=sender, receiver="isal") for sender in ("zlib[level=9]", "zlib", "zlib[level=6]")))
    )

    assert names(shown) == (["zlib +2"], ["isal"])


def test_one_that_ends_otherwise_stands_alone() -> None:
    cells = (cell(sender="zlib"), cell(sender="zlib[window=12]", verdict="refused"))

    assert names(folded(matrix(*cells)))[0] == ["zlib", "zlib[window=12]"]


def test_different_codecs_are_never_one() -> None:
    assert names(folded(matrix(cell(sender="zlib"), cell(sender="zlib-ng"))))[0] == ["zlib", "zlib-ng"]


def test_receivers_are_folded_as_well() -> None:
    cells = (cell(receiver="qpl"), cell(receiver="qpl[dynamic]"))

    assert names(folded(matrix(*cells)))[1] == ["qpl +1"]


def test_every_place_that_is_left_is_one_of_those_before() -> None:
    whole = matrix(cell(sender="zlib"), cell(sender="zlib[level=9]"), cell(sender="isal", verdict="refused"))

    assert set(folded(whole).places) <= set(whole.places)
