"""``multifd merge``: shards become a run, runs of several hosts a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from multifd.result import store
from multifd.result.record import Results
from tests.cli.command import multifd
from tests.comparison.divided import shard
from tests.reports.builder import cell, results

WHOLE: Final = results(*(cell(id=f"wire/{number}") for number in range(6)))


def saved(directory: Path, run: Results) -> Path:
    directory.mkdir()
    store.save(run, directory)
    return directory


def test_shards_become_a_run_like_any_other(tmp_path: Path) -> None:
    parts = [saved(tmp_path / str(number), shard(WHOLE, number, 2)) for number in (1, 2)]

    answer = multifd("merge", tmp_path / "out", *parts)

    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"6 cells of 2 shards\n{tmp_path}/out/report.html\n"
    assert store.load(tmp_path / "out").cells == WHOLE.cells
    assert {"report.html", "report.md", "junit.xml"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_a_missing_shard_is_exit_3_and_named(tmp_path: Path) -> None:
    answer = multifd("merge", tmp_path / "out", saved(tmp_path / "2", shard(WHOLE, 2, 2)))

    assert answer.code == 3
    assert "shard 1/2 is missing: the run is not complete\n" in answer.out


def test_runs_of_two_hosts_become_a_report_with_a_column_each(tmp_path: Path) -> None:
    other = results(*WHOLE.cells[1:], cell(id="wire/0", verdict="refused"))
    other = other.model_copy(update={"run": other.run.model_copy(update={"id": "other", "host": {"cpu": "Kunpeng"}})})

    answer = multifd("merge", tmp_path / "out", saved(tmp_path / "a", WHOLE), saved(tmp_path / "b", other), "--json")

    told = json.loads(answer.out)
    assert (answer.code, told["differing"], told["complete"]) == (0, 1, True)
    merged = json.loads((tmp_path / "out/merged.json").read_text())
    assert [(row["cell"], row["by"]) for row in merged["rows"]] == [("wire/0", ["host"])]
    assert "differs by host" in (tmp_path / "out/report.md").read_text()
    for directory, run in zip(told["runs"], (WHOLE, other), strict=True):
        assert store.load(tmp_path / "out" / directory) == run
        assert f'href="{directory}/report.html"' in (tmp_path / "out/report.html").read_text()


def test_files_of_cells_come_along_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    names = ("exhibits/a/pages.json", "exhibits/link", "../secret", "/etc/hostname", "exhibits/tree", "linked/x")
    directory = saved(tmp_path / "a", results(cell(artifacts=names)))
    (tmp_path / "secret").write_text("secret")
    for name in ("exhibits/a/pages.json", "exhibits/tree/deep/file"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(name)
    (directory / "exhibits/link").symlink_to(tmp_path / "secret")
    (directory / "exhibits/tree/link").symlink_to(tmp_path / "secret")
    (tmp_path / "x").write_text("secret")
    (directory / "linked").symlink_to(tmp_path)

    multifd("merge", tmp_path / "out", directory)

    taken = [path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {str(path) for path in taken if len(path.parts) > 1} == {"exhibits/a/pages.json", "exhibits/tree/deep/file"}
    assert not any("secret" in path.read_text() for path in (tmp_path / "out").rglob("exhibits/*") if path.is_file())


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    run = saved(tmp_path / "a", WHOLE)

    answer = multifd("merge", run, run)

    assert (answer.code, answer.err) == (2, f"multifd: '{run}': is there; expected a directory that is new or empty\n")


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_what_is_no_run_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()

    answer = multifd("merge", tmp_path / "out", tmp_path / name)

    assert answer.code == 2
    assert str(tmp_path / name) in answer.err
    assert not (tmp_path / "out").exists()
