"""What became of a cell in other runs: from a history, or from a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import reports
from multifd.history.archive import Archive
from multifd.result.record import Cell, Results
from reports import html
from reports.past import RUNS, of_archive, of_run
from tests.reports.builder import cell, peer, results
from tests.reports.packed import held

PASSED = cell(id="a")
FAILED = cell(id="a", verdict="fail", kind="corrupt")


def run(number: int, *cells: Cell) -> Results:
    """One of many, a day after the one before, with a later zlib."""
    made = results(*(cells or (PASSED,)))
    when = {"id": f"run-{number}", "started": f"2026-01-{number + 1:02}T00:00:00+00:00"}
    zlib = peer("zlib", "software").model_copy(update={"version": f"1.{number}"})
    return made.model_copy(update={"run": made.run.model_copy(update=when), "peers": (zlib,)})


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "history.sqlite", create=True) as one:
        yield one


def test_a_cell_has_every_run_that_had_it_the_oldest_first(archive: Archive) -> None:
    for one in (run(1, FAILED), run(0, PASSED), run(2, cell(id="b"))):
        archive.add(one)

    past = of_archive(archive, run(3, PASSED))

    assert [before.id for before in past.runs] == ["run-0", "run-1", "run-2"]
    assert past.records == {"a": ((0, "pass", None), (1, "fail", "corrupt"))}
    assert past.runs[1].peers == {"zlib": "1.1, software"}


def test_what_the_run_itself_says_is_believed(archive: Archive) -> None:
    archive.add(run(0, PASSED))
    archive.add(run(1, PASSED))

    assert of_archive(archive, run(1, FAILED)).records == {"a": ((0, "pass", None), (1, "fail", "corrupt"))}


def test_of_very_many_runs_the_latest_are_shown(archive: Archive) -> None:
    for number in range(RUNS + 2):
        archive.add(run(number))

    past = of_archive(archive, run(RUNS + 1))

    assert (len(past.runs), past.left, past.runs[0].id) == (RUNS, 2, "run-2")
    assert [place for place, _, _ in past.records["a"]] == list(range(RUNS))


def test_a_baseline_is_one_run() -> None:
    past = of_run(run(0, FAILED))

    assert ([before.id for before in past.runs], past.records) == (["run-0"], {"a": ((0, "fail", "corrupt"),)})


def test_the_page_has_it_beside_its_cells() -> None:
    page = held(html.render(run(1, PASSED, cell(id="b")), past=of_run(run(0, FAILED))))

    assert page["past"] == [[[0, "fail", "corrupt"]], []]
    assert page.facts["past"]["runs"][0]["id"] == "run-0"
    assert page.facts["run"] == {"id": "run-1", "started": "2026-01-02T00:00:00+00:00"}


def test_a_page_that_knows_of_no_other_run_says_so() -> None:
    assert held(html.render(run(1))).facts["past"] is None


def test_a_report_made_with_a_baseline_has_its_past_from_there(tmp_path: Path) -> None:
    path = reports.write(run(1), tmp_path, run(0, FAILED))

    assert held(path.read_text(encoding="utf-8"))["past"] == [[[0, "fail", "corrupt"]]]
