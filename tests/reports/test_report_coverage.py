"""Both reports say what a run has covered, and which pairs of values it never had."""

from __future__ import annotations

import pytest

from multifd.result.record import Coverage, Reach, Results
from reports import html, markdown
from reports.lacking import lacking
from tests.reports.builder import cell, results


def covered(*never: str) -> Results:
    found = results(cell())
    coverage = Coverage(
        cells={"wire": 1}, pairs=Reach(had=1, feasible=3), triples=Reach(had=1, feasible=4), never=never
    )  # fmt: skip
    return found.model_copy(update={"run": found.run.model_copy(update={"coverage": coverage})})


@pytest.mark.parametrize("render", [html.render, markdown.render], ids=["html", "markdown"])
def test_the_shares_are_told(render: object) -> None:
    text = render(covered())  # type: ignore[operator]

    assert "33.3% of the pairs of values that can be combined: 1 of 3" in text
    assert "25.0% of the triples of values that can be combined: 1 of 4" in text


def test_what_was_not_combined_is_counted_though_not_all_of_it_is_named() -> None:
    assert "2 pairs of values that can be combined stood together in no cell." in "\n".join(lacking(covered("one"), ()))


def test_a_run_that_combines_nothing_says_so() -> None:
    found = covered()
    coverage = found.run.coverage.model_copy(update={"pairs": Reach(had=0, feasible=3)})

    said = lacking(found.model_copy(update={"run": found.run.model_copy(update={"coverage": coverage})}), ())

    assert "Values were not combined: none of the suites that do so was asked for." in list(said)


def test_pairs_that_no_cell_had_are_named() -> None:
    assert "sender zlib with content text" in html.render(covered("sender zlib with content text"))
