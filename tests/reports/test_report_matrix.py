"""Where cells are shown: places, labels, blanks."""

from __future__ import annotations

from multifd.result.record import KIND_ORDER, Sides
from reports import model
from reports.matrix import Blank, Label, Place, worst_first
from reports.vocabulary import VERDICTS
from tests.reports.builder import cell, results, unable


def test_silent_corruption_outranks_everything_and_a_pass_comes_last() -> None:
    cells = [cell(id=kind, verdict="fail", kind=kind) for kind in KIND_ORDER]
    cells += [cell(id=verdict, verdict=verdict) for verdict in VERDICTS if verdict != "fail"]
    cells.reverse()

    ordered = [c.id for c in worst_first(cells)]

    assert ordered[:2] == ["corrupt", "accepted"]
    assert ordered[len(KIND_ORDER) :] == ["error", "hazard", "known", "not-run", "skip", "refused", "pass"]


def test_a_place_shows_its_worst_cell_and_how_many_are_as_bad() -> None:
    run = results(
        cell(corpus="text"),
        cell(corpus="zero", verdict="hazard"),
        cell(corpus="random", verdict="hazard"),
    )

    (place,) = model.wire_matrices(run)["zlib"].places

    assert (place.worst.corpus, place.alike, len(place.cells)) == ("zero", 2, 3)


def test_peers_stand_in_the_order_of_the_line_up() -> None:
    run = results(cell(sender="stranger"), cell(sender="qpl"), cell(sender="zlib"))

    matrix = model.wire_matrices(run)["zlib"]

    assert [row.label.name for row in matrix.rows] == ["zlib", "qpl", "stranger"]


def test_a_label_carries_every_provenance_of_its_side() -> None:
    run = results(
        cell(corpus="text", provenance=Sides(sender="hardware", receiver="software")),
        cell(corpus="zero", provenance=Sides(sender="emulated", receiver="software")),
    )

    matrix = model.wire_matrices(run)["zlib"]

    assert matrix.rows[0].label.marks == ("hardware", "emulated")
    assert matrix.columns[0].marks == ("software",)


def test_what_a_peer_cannot_do_is_blank_and_says_why() -> None:
    run = results(
        cell(sender="zlib", receiver="isal"),
        cannot=(unable(framing="zlib", peer="qpl"), unable(framing="zlib", peer="none", role="receiver")),
    )

    matrix = model.wire_matrices(run)["zlib"]

    blank = (
        Blank("qpl cannot send zlib: it knows DEFLATE only"),
        Blank("none cannot receive zlib: it knows DEFLATE only"),
    )
    assert [row.label for row in matrix.rows] == [Label("zlib", "", ("software",)), Label("qpl")]
    assert [column.name for column in matrix.columns] == ["isal", "none"]
    assert [row.places for row in matrix.rows] == [(Place(run.cells), blank[1]), (blank[0], blank[0])]


def test_what_was_not_planned_is_neither_a_place_nor_a_blank() -> None:
    run = results(cell(sender="zlib", receiver="isal"), cell(sender="none", receiver="none"))

    matrix = model.wire_matrices(run)["zlib"]

    assert [place for row in matrix.rows for place in row.places if not isinstance(place, Place)] == [None, None]
    assert len(matrix.places) == 2


def test_a_cell_is_shown_though_its_peer_said_that_it_cannot() -> None:
    run = results(cell(sender="zlib"), cannot=(unable(framing="zlib", peer="zlib"),))

    assert model.wire_matrices(run)["zlib"].rows[0].places == (Place(run.cells),)


def test_what_a_peer_cannot_do_in_another_framing_is_no_blank_here() -> None:
    run = results(cell(sender="zlib"), cannot=(unable(framing="zstd", peer="qpl"),))

    matrices = model.wire_matrices(run)

    assert list(matrices) == ["zlib"]
    assert len(matrices["zlib"].rows) == 1
