"""Writing the reports of a run into a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

import reports
from multifd.result import store
from tests.reports.builder import cell, results


def test_three_reports_are_written_and_nothing_else(tmp_path: Path) -> None:
    path = reports.write(results(cell()), tmp_path / "new" / "directory")

    assert path == tmp_path / "new" / "directory" / "report.html"
    assert sorted(p.name for p in path.parent.iterdir()) == ["junit.xml", "report.html", "report.md"]


def test_what_is_written_goes_when_another_run_takes_the_directory(tmp_path: Path) -> None:
    reports.write(results(cell()), tmp_path)

    assert {p.name for p in tmp_path.iterdir()} == set(store.REPORTS) - {"matrix.svg"}


def test_a_report_that_cannot_be_put_in_place_leaves_no_rest(tmp_path: Path) -> None:
    (tmp_path / "report.md").mkdir()

    with pytest.raises(OSError, match=r"report\.md"):
        reports.write(results(cell()), tmp_path)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["junit.xml", "report.md"]


def test_the_renderers_import_nothing_of_the_project_but_results_and_what_follows_from_them() -> None:
    sources = [p.read_text() for p in Path(reports.__file__).parent.glob("*.py")]

    imported = [line for source in sources for line in source.splitlines() if "multifd" in line.split("import")[0]]

    found = {line.split()[1] for line in imported if line.startswith(("from", "import"))}
    assert {".".join(name.split(".")[:2]) for name in found} == {
        "multifd.result",
        "multifd.advice",
        "multifd.comparison",
        "multifd.history",
    }
