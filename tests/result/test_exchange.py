"""The table of zlib, QAT and IAA: what a place says, and when a row contradicts what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.result.exchange import Place, Row, expected, shown, table
from multifd.result.questions import Line, Thread, shipped
from multifd.result.record import Cell, Sides, Unable, Verdict
from tests.result.thread import ran, seen


def thread(**changes: Any) -> Thread:
    """A table of one row, in which QAT's silicon is refused by zlib and its library is not."""
    line = {"framing": "packet", "libraries": "==x ==x ---", "silicon": "==x x=x ---", **changes}
    return shipped().model_copy(update={"table": (Line.model_validate(line),)})


def row(*cells: Cell, unable: tuple[Unable, ...] = (), **changes: Any) -> Row:
    """The row of the libraries in a run of these cells."""
    (found,) = table(thread(**changes), "libraries", seen(*cells, unable=unable))
    return found


def place(*cells: Cell, **changes: Any) -> Place:
    """Of libqatzip as sender and zlib as receiver."""
    return next(p for p in row(*cells, **changes).places if (p.sender, p.receiver) == ("qatzip", "zlib"))


def from_qat(verdict: Verdict, **changes: Any) -> Cell:
    return ran("qatzip", "zlib", "packet", verdict, **changes)


@pytest.mark.parametrize(
    ("verdicts", "mark"),
    [
        (["pass"], "="),
        (["pass", "refused"], "x"),
        (["pass", "refused", "hazard"], "!"),
        (["pass", "hazard", "fail"], "#"),
        (["pass", "skip"], "="),
        (["skip"], "?"),
        ([], "?"),
    ],
)
def test_a_place_is_as_good_as_the_worst_of_its_cells(verdicts: list[Verdict], mark: str) -> None:
    assert place(*map(from_qat, verdicts)).mark == mark


def test_a_peer_that_cannot_is_told_from_one_that_was_not_asked() -> None:
    cannot = Unable(framing="packet", peer="qpl", role="sender", reason="no", tried=True)

    marks = [p.mark for p in row(unable=(cannot,)).places]

    assert marks == ["?"] * 6 + ["-"] * 3


def test_a_row_whose_places_are_all_as_expected_is_shown() -> None:
    cells = [ran(s, r, "packet", verdict(r)) for s in ("zlib", "qatzip") for r in ("zlib", "qatzip", "qpl")]
    cannot = Unable(framing="packet", peer="qpl", role="sender", reason="no", tried=True)

    found = shown("libraries", row(*cells, unable=(cannot,)))

    assert (found.state, found.count) == ("shown", 6)
    assert found.shows == "packet, libraries: 4 of 9 identical"


def verdict(receiver: str) -> Verdict:
    return "refused" if receiver == "qpl" else "pass"


def test_a_place_that_is_otherwise_contradicts_and_names_the_cell() -> None:
    cell = from_qat("refused", error="trailing bytes")

    found = shown("libraries", row(from_qat("pass"), cell))

    assert found.state == "contradicted"
    why = f"qatzip to zlib is refused; {cell.id}: expected identical, seen refused, 'trailing bytes'"
    assert found.because == why


def test_a_row_with_a_place_that_was_not_in_the_run_is_not_shown() -> None:
    found = shown("libraries", row(from_qat("pass")))

    assert found.state == "not shown"
    assert found.because.startswith("not in this run: zlib to zlib, ")


def test_a_library_on_silicon_is_held_against_what_silicon_does() -> None:
    on_device = Sides(sender="hardware", receiver="software")

    assert place(from_qat("refused")).contradicts
    assert not place(from_qat("refused", provenance=on_device)).contradicts


def test_a_framing_that_is_read_by_streams_has_the_peers_that_read_streams() -> None:
    streams = row(variant="[stream=1]", zlib="zlib[window=12]")

    assert {p.receiver for p in streams.places} == {"zlib", "qatzip[stream=1]", "qpl[stream=1]"}
    assert streams.places[0].sender == "zlib[window=12]"
    assert streams.title == "packet, sent by zlib[window=12]"


def test_the_table_without_a_run_is_what_runs_are_held_against() -> None:
    (found,) = expected(thread(), "silicon")

    assert "".join(p.mark for p in found.places) == "==xx=x---"
    assert found.identical == 3
