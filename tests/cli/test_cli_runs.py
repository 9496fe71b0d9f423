"""``multifd report``: what a run left behind."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest

from multifd.result import store
from multifd.result.conclusion import conclude
from multifd.result.intake import EXPECTED
from multifd.result.known import findings, shipped
from multifd.result.record import Cell, Results
from multifd.result.store import End
from tests.cli.command import Answer, multifd
from tests.reports.builder import cell, results
from tests.reports.packed import held

REPORTS: Final = ("junit.xml", "report.html", "report.md", "results.json")


def saved(directory: Path, *cells: Cell, complete: bool = True, **fields: str) -> Path:
    """A run of these cells."""
    directory.mkdir(exist_ok=True)
    made = results(*cells, complete=complete, findings=findings(cells, shipped()))
    store.save(made.model_copy(update={"run": made.run.model_copy(update=fields)}), directory)
    return directory


def logged(directory: Path, *cells: Cell, end: End | None) -> Path:
    """A run of which only the event log is left."""
    with closing(store.EventLog(directory)) as log:
        log.write_run(results(*cells, complete=False).run)
        for one in cells:
            log.write_plan(one.model_copy(update={"verdict": "not-run"}))
        log.planned()
        for one in cells:
            if one.verdict != "not-run":
                log.write_cell(one)
        if end is not None:
            log.write_end(end)
    return directory


def read(directory: Path) -> Results:
    return Results.model_validate_json((directory / "results.json").read_text())


# report


VERDICTS: Final = (
    "", "pass refused hazard known skip", "pass fail", "pass error", "fail error", "skip skip", "pass not-run",
    "fail not-run", "skip not-run",
)  # fmt: skip
ENDS: Final = {
    "ended": End("2025-11-22T20:01:23Z", interrupted=False),
    "interrupted": End("2025-11-22T20:01:23Z", interrupted=True),
    "cut off": None,
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("verdicts", VERDICTS, ids=lambda verdicts: verdicts.replace(" ", "-") or "nothing")
def test_exit_code_results_reports_and_a_second_report_agree(verdicts: str, end: str, tmp_path: Path) -> None:
    cells = [cell(id=f"wire/{n}", verdict=verdict) for n, verdict in enumerate(verdicts.split())]
    complete, code = conclude(cells, ended=end == "ended")

    first = multifd("report", logged(tmp_path, *cells, end=ENDS[end]))
    again = multifd("report", tmp_path)

    junit = ElementTree.parse(tmp_path / "junit.xml").getroot().attrib
    assert first == again == Answer(code, f"{tmp_path}/report.html\n", "")
    assert read(tmp_path).run.complete == complete
    assert (code != 0) == ((junit["failures"], junit["errors"]) != ("0", "0"))
    assert (code == 0) == ("<h1>Conforming" in (tmp_path / "report.html").read_text())
    assert (code == 0) == ("# multifd conformance: Conforming" in (tmp_path / "report.md").read_text())


READING: Final = {
    "report": ("report", "{}"),
    "report --baseline": ("report", "{}", "--baseline", "{}"),
    "finding": ("finding", "--results", "{}"),
    "diff": ("diff", "{}", "{}"),
    "history add": ("history", "add", "{}"),
    "merge": ("merge", "{}-out", "{}"),
    "why": ("why", "zlib", "isal", "--results", "{}"),
    "advise": ("advise", "--from", "qemu-7.2", "--to", "qemu-10.0", "--results", "{}"),
    "bundle": ("bundle", "wire/a", "--results", "{}", "--output", "{}-cell.tar.gz"),
}


@pytest.mark.parametrize("command", READING.values(), ids=READING)
def test_whoever_reads_a_log_beside_which_results_say_otherwise_says_so(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    directory = logged(tmp_path / "run", cell(id="wire/a"), end=ENDS["ended"])
    saved(directory, cell(id="wire/a", verdict="fail"))

    answer = multifd(*(part.replace("{}", str(directory)) for part in command))

    read = f"multifd: {directory}/events.jsonl is read"
    other = "results.json beside it has verdict 'fail' in wire/a, and not 'pass'"
    assert answer.err.splitlines()[0] == f"{read}; {other}"


def test_reports_are_made_from_the_event_log_alone(tmp_path: Path) -> None:
    answer = multifd("report", logged(tmp_path, cell(), end=ENDS["ended"]))

    assert answer.code == 0
    assert [name for name in REPORTS if not (tmp_path / name).is_file()] == []
    assert [one.verdict for one in read(tmp_path).cells] == ["pass"]


def test_a_run_that_was_cut_off_is_not_complete(tmp_path: Path) -> None:
    answer = multifd("report", logged(tmp_path, cell(), end=None))

    assert (answer.code, read(tmp_path).run.complete, len(read(tmp_path).cells)) == (3, False, 1)


@pytest.mark.parametrize("end", ["interrupted", "cut off"])
def test_results_that_a_killed_run_wrote_before_its_end_are_not_believed(end: str, tmp_path: Path) -> None:
    saved(logged(tmp_path, cell(), end=ENDS[end]), cell())
    assert read(tmp_path).run.complete

    answer = multifd("report", tmp_path)

    assert (answer.code, read(tmp_path).run.complete) == (3, False)
    assert "<h1>Incomplete" in (tmp_path / "report.html").read_text()


def test_results_that_say_other_than_the_log_are_made_again(tmp_path: Path) -> None:
    saved(logged(tmp_path, cell(verdict="fail"), end=ENDS["ended"]), cell())

    answer = multifd("report", tmp_path)

    assert (answer.code, [one.verdict for one in read(tmp_path).cells]) == (1, ["fail"])


def test_a_log_that_cannot_be_read_is_not_replaced_by_results(tmp_path: Path) -> None:
    (saved(tmp_path, cell()) / "events.jsonl").mkdir()

    answer = multifd("report", tmp_path)

    reason = "cannot read: Is a directory; expected the directory of a run"
    assert answer == Answer(2, "", f"multifd: {tmp_path}/events.jsonl: {reason}\n")


FOUR: Final = tuple(cell(id=f"wire/{n}") for n in range(4))


def test_results_from_which_cells_were_taken_are_refused(tmp_path: Path) -> None:
    whole = results(*FOUR)
    store.save(whole.model_copy(update={"cells": FOUR[:1]}), tmp_path)

    answer = multifd("report", tmp_path)

    error = "results.json: cells: by suite wire 1, expected wire 4 as run.coverage says"
    assert answer == Answer(2, "", f"multifd: {tmp_path}/{error}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json"]


@pytest.mark.parametrize(
    ("lines", "found"),
    [(slice(1, 5), "no cells"), (slice(3, 5), "wire 2"), (slice(4, 5), "wire 3")],
    ids=["all", "two", "one"],
)
def test_a_log_that_lost_lines_of_its_plan_is_refused(lines: slice, found: str, tmp_path: Path) -> None:
    path = logged(tmp_path, *FOUR, end=ENDS["ended"]) / "events.jsonl"
    kept = path.read_bytes().splitlines(keepends=True)
    del kept[lines]
    path.write_bytes(b"".join(kept))

    answer = multifd("report", tmp_path)

    error = f"events.jsonl: plan: by suite {found}, expected wire 4 as run.coverage says"
    assert answer == Answer(2, "", f"multifd: {tmp_path}/{error}\n")


def test_half_done_results_of_another_kind_are_the_environments_fault(tmp_path: Path) -> None:
    (logged(tmp_path, cell(), end=ENDS["ended"]) / ".results.json.new").mkdir()

    answer = multifd("report", tmp_path)

    assert answer == Answer(3, "", f"multifd: {tmp_path}/results.json: cannot write: Is a directory\n")


def test_nothing_is_written_through_the_links_of_a_stranger(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", logged(tmp_path / "theirs", cell(), end=ENDS["ended"])
    mine.write_text("precious")
    for name in (*REPORTS, "matrix.svg"):
        for link in (name, f".{name}.new"):
            (theirs / link).unlink(missing_ok=True)
            (theirs / link).symlink_to(mine)

    answer = multifd("report", theirs, "--matrix", "zlib")

    assert (answer.code, mine.read_text()) == (0, "precious")
    assert {name: (theirs / name).is_symlink() for name in REPORTS} == dict.fromkeys(REPORTS, False)


def test_what_is_written_elsewhere_leaves_a_directory_as_it_was(tmp_path: Path) -> None:
    theirs = logged(tmp_path / "theirs", cell(), end=ENDS["ended"])
    before = sorted(each.name for each in theirs.iterdir())
    (theirs / ".lock").unlink()
    (theirs / ".lock").symlink_to("events.jsonl")

    answer = multifd("report", theirs, "--output", tmp_path / "mine")

    assert answer == Answer(0, f"{tmp_path}/mine/report.html\n", "")
    assert sorted(each.name for each in (tmp_path / "mine").iterdir()) == sorted(REPORTS)
    assert sorted(each.name for each in theirs.iterdir()) == before


def test_a_name_that_no_directory_has_is_refused() -> None:
    answer = multifd("report", "x" * 300)

    assert answer == Answer(2, "", f"multifd: {'x' * 300}: there is no such file or directory; {EXPECTED}\n")


def test_a_run_that_is_going_on_is_left_alone(tmp_path: Path) -> None:
    with closing(store.EventLog(tmp_path)) as log:
        log.write_run(results(complete=False).run)
        log.planned()

        answer = multifd("report", tmp_path)

    reason = "and makes its reports when it ends; remedy: wait for it, or run with --results OTHER"
    assert answer == Answer(2, "", f"multifd: {tmp_path}: a run is going on there (process {os.getpid()}), {reason}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "events.jsonl"]


def test_a_matrix_is_drawn_if_asked_for(tmp_path: Path) -> None:
    answer = multifd("report", saved(tmp_path, cell()), "--matrix", "zlib")

    assert answer.code == 0
    assert (tmp_path / "matrix.svg").read_text().startswith("<svg")


def test_a_matrix_of_an_unknown_framing_is_refused(tmp_path: Path) -> None:
    answer = multifd("report", saved(tmp_path, cell()), "--matrix", "lz4")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("multifd: --matrix: framing is 'lz4', expected one of ")


def test_a_matrix_of_a_run_without_wire_cells_is_refused(tmp_path: Path) -> None:
    answer = multifd("report", saved(tmp_path, cell(suite="qemu")), "--matrix", "none")

    reason = "framing is 'none', but the run has no cells of suite wire, of which a matrix is made"
    assert answer == Answer(2, "", f"multifd: --matrix: {reason}\n")


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    answer = multifd("report", tmp_path)

    reason = "holds no run, neither events.jsonl nor results.json"
    assert answer == Answer(2, "", f"multifd: {tmp_path}: {reason}; {EXPECTED}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("events.jsonl", b"not JSON\n", "events.jsonl: line 1 is not JSON"),
        ("events.jsonl", b"[]\n", "events.jsonl: line 1 is no event"),
        ("events.jsonl", b"", "events.jsonl: holds no run"),
        ("events.jsonl", b'{"event": "lunch"}\n', "events.jsonl: event 'lunch' is unknown or out of place"),
        ("results.json", b"{}", "results.json: is no results file: it begins with '{}', an object without the field"),
        ("results.json", b"\xff", "results.json: cannot read: "),
        ("results.json", b"not JSON", "results.json: is no results file: it begins with 'not JSON', which is no JSON"),
    ],
)
def test_a_file_of_a_run_that_is_damaged_is_refused(name: str, content: bytes, error: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    answer = multifd("report", tmp_path)

    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert answer.err.startswith(f"multifd: {tmp_path}/{error}")


def test_reports_that_cannot_be_written_are_the_environments_fault(tmp_path: Path) -> None:
    (saved(tmp_path, cell()) / "report.html").mkdir()

    answer = multifd("report", tmp_path)

    assert answer == Answer(3, "", f"multifd: {tmp_path}: cannot write reports: Is a directory\n")


def test_the_page_shows_what_changed_since_another_run(tmp_path: Path) -> None:
    before = saved(tmp_path / "before", cell(verdict="pass"))
    after = saved(tmp_path / "after", cell(verdict="fail", kind="corrupt", reason="<b>12</b> pages"))

    answer = multifd("report", after, "--baseline", before / "results.json")

    page = (after / "report.html").read_text()
    assert answer.code == 1
    assert "pass -&gt; fail (corrupt)" in page
    assert "1 cell differs, 1 regression" in page


def test_a_baseline_that_is_no_run_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    after = saved(tmp_path / "after", cell())

    answer = multifd("report", after, "--baseline", tmp_path / "nowhere")

    assert answer.code == 2
    assert answer.err.startswith(f"multifd: {tmp_path}/nowhere: there is no such file or directory; ")
    assert sorted(path.name for path in after.iterdir()) == ["results.json"]


def test_the_page_shows_what_became_of_cells_in_the_runs_of_a_history(tmp_path: Path) -> None:
    multifd("history", "add", saved(tmp_path / "before", cell(verdict="fail", kind="corrupt"), id="another"))
    after = saved(tmp_path / "after", cell())

    multifd("report", after, "--history", tmp_path / "history.sqlite")

    assert held((after / "report.html").read_text())["past"] == [[[0, "fail", "corrupt"]]]


def test_a_history_that_is_not_there_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    after = saved(tmp_path / "after", cell())

    answer = multifd("report", after, "--history", tmp_path / "nowhere")

    assert answer.code == 2
    assert "there is no history; remedy: multifd history add DIR" in answer.err
    assert sorted(path.name for path in after.iterdir()) == ["results.json"]
