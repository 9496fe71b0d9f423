"""Runs beside each other: no cell is lost, and where one ended in two ways it is said by what they differ."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.comparison.abreast import Abreast, abreast, labelled
from multifd.comparison.merged import Part, joined
from multifd.result.record import Cell, Results
from reports.abreast import html, lines, markdown
from tests.reports.builder import cell, results


def run(name: str, *cells: Cell, **changes: Any) -> Results:
    made = results(*cells)
    return made.model_copy(update={"run": made.run.model_copy(update={"id": name, **changes})})


def beside(*runs: Results) -> Abreast:
    return abreast(joined(Part(each.run.id, each) for each in runs))


def way(verdict: str, **changes: Any) -> Cell:
    return cell(id="wire/a", verdict=verdict, **changes)


OTHER = {"cpu": "other"}


def test_no_cell_of_any_run_is_lost() -> None:
    found = beside(run("1", cell(id="wire/a"), cell(id="wire/b")), run("2", cell(id="wire/b"), cell(id="wire/c")))

    assert (found.cells, found.everywhere, found.rows) == (3, 1, ())


def test_two_verdicts_of_one_cell_are_named_with_what_tells_the_runs_apart() -> None:
    found = beside(run("1", way("pass")), run("2", way("refused"), host=OTHER))

    (row,) = found.rows
    assert (row.cell, row.differs, row.by) == ("wire/a", True, ("host",))
    assert [each.standing for each in row.ended] == ["pass", "refused"]
    assert found.exit_code == 0


@pytest.mark.parametrize(
    ("changes", "by"),
    [
        ({"profile": "lab"}, "profile"),
        ({"versions": {"multifd": "0.1.0", "python": "3.13.1"}}, "Python"),
        ({"versions": {"multifd": "0.2.0", "python": "3.11.2"}}, "multifd"),
        ({"seed": 7}, "seed"),
    ],
)
def test_what_differs_is_named(changes: dict[str, Any], by: str) -> None:
    found = beside(run("1", way("pass"), versions={"multifd": "0.1.0", "python": "3.11.2"}), run(
        "2", way("refused"), **{"versions": {"multifd": "0.1.0", "python": "3.11.2"}, **changes}
    ))  # fmt: skip

    assert found.rows[0].by == (by,)


def test_what_is_the_same_in_two_ways_is_no_reason() -> None:
    found = beside(
        run("1", way("pass")), run("2", way("pass"), host=OTHER), run("3", way("refused"), host=OTHER, profile="lab")
    )

    assert found.rows[0].by == ("profile",)


def test_where_nothing_tells_them_apart_that_is_said() -> None:
    found = beside(run("1", way("pass")), run("2", way("fail", kind="hang")))

    assert (found.rows[0].differs, found.rows[0].by) == (True, ())
    assert any("nothing that these runs say of themselves" in line for line in lines(found))


@pytest.mark.parametrize("verdict", ["skip", "not-run", "error"])
def test_what_was_not_checked_has_not_ended_otherwise(verdict: str) -> None:
    assert beside(run("1", way("pass")), run("2", way(verdict))).differing == 0


def test_what_failed_everywhere_is_shown_after_what_differs() -> None:
    same = cell(id="wire/b", verdict="fail", kind="corrupt")

    found = beside(run("1", same, way("pass")), run("2", same, way("refused"), host=OTHER))

    assert [row.cell for row in found.rows] == ["wire/a", "wire/b"]


@pytest.mark.parametrize(
    ("verdicts", "code"), [("pass pass", 0), ("pass fail", 1), ("error fail", 1), ("pass error", 3)]
)
def test_the_exit_code_is_the_worst(verdicts: str, code: int) -> None:
    assert beside(*(run(str(n), way(verdict)) for n, verdict in enumerate(verdicts.split()))).exit_code == code


def test_runs_are_called_by_what_tells_them_apart() -> None:
    assert labelled([run("1"), run("2", profile="lab")]) == ["profile software-only", "profile lab"]
    assert labelled([run("1"), run("2")]) == ["run 1", "run 2"]


def test_text_of_runs_is_no_markup_anywhere() -> None:
    found = beside(
        run("1", way("pass"), profile="<script>alert(1)</script>"),
        run("2", way("refused", reason="<u>\x1b[31m"), profile="../[x](javascript:y)|z"),
    )

    page, document = markdown(found), html(found)

    assert "<script>" not in page + document
    assert "<u>" not in document
    assert "\x1b" not in page + document
    assert "[x](javascript" not in page
    assert all("/" not in column.directory and not column.directory.startswith(".") for column in found.columns)
