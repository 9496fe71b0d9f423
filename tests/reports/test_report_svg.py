"""The matrix of one framing as a picture."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from multifd.result.record import Sides
from reports.svg import matrix_svg
from tests.reports.builder import FRAMINGS, cell, realistic, results, unable


@pytest.mark.parametrize("framing", FRAMINGS)
def test_every_framing_gives_well_formed_svg(framing: str) -> None:
    root = ElementTree.fromstring(matrix_svg(realistic(), framing))

    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_each_entry_has_symbol_and_word() -> None:
    assert ">⊘ refused</text>" in matrix_svg(results(cell(verdict="refused")), "zlib")


def test_what_a_peer_cannot_do_is_blank_and_what_was_not_planned_a_dot() -> None:
    cells = cell(sender="zlib", receiver="isal"), cell(sender="none", receiver="none")

    assert matrix_svg(results(*cells), "zlib").count(">·</text>") == 2
    blank = matrix_svg(results(*cells, cannot=(unable(framing="zlib", peer="qpl"),)), "zlib")
    assert (blank.count(">·</text>"), ">qpl</text>" in blank) == (2, True)


def test_emulated_is_marked_and_explained() -> None:
    picture = matrix_svg(results(cell(provenance=Sides(sender="software", receiver="emulated"))), "zlib")

    assert 'isal<tspan dy="-4" dx="2" class="mark">E</tspan>' in picture
    assert "our model of the silicon: no accelerator was used" in picture
    assert "on the accelerator itself" not in picture


def test_an_unknown_framing_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^framing is 'lz4', expected one of zlib$"):
        matrix_svg(results(cell()), "lz4")
