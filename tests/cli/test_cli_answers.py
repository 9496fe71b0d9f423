"""``multifd answers``: what a run says of the thread's questions, and that nobody can change a verdict unnoticed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from multifd.result import store
from multifd.result.questions import shipped
from multifd.result.record import Cell
from multifd.result.store import End
from tests.cli.command import ROOT, multifd
from tests.cli.test_cli_runs import logged, saved
from tests.result.thread import ran

GOOD: Final = ran("qatzip", "zlib", "qatzip")
"""Of the first claim of the first question."""
SHOWS: Final = "zlib reads the gzip-ext that libqatzip writes under the method qatzip"
END: Final = End("2025-11-22T20:01:23Z", interrupted=False)


def edit(path: Path, cell: Cell = GOOD) -> None:
    """Somebody writes another verdict, and what it follows from, into the file's record of the cell."""
    text = path.read_text()
    *_, record = re.finditer(r'"predicted":\s*"identical",\s*"observed":\s*"identical",\s*"verdict":\s*"pass"', text)
    other = '"predicted": "rejected", "observed": "rejected", "verdict": "refused"'
    path.write_text(text[: record.start()] + other + text[record.end() :])


def test_every_question_is_answered_below_the_table(tmp_path: Path) -> None:
    answer = multifd("answers", "--results", saved(tmp_path, GOOD))

    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(shipped().question)
    positions = [answer.out.index(f"{question.id}: {question.question}") for question in shipped().questions]
    assert positions == sorted(positions)
    assert answer.out.index("Models of the silicon") < positions[0]


def test_a_claim_that_is_shown_has_provenance_count_cell_and_command(tmp_path: Path) -> None:
    answer = multifd("answers", "--results", saved(tmp_path, GOOD))

    assert f"✓ shown: {SHOWS} (1: vendor-software, software)" in answer.out
    assert f"      {GOOD.id}\n      {GOOD.reproduce}\n" in answer.out


def test_a_part_of_a_run_contradicts_nothing(tmp_path: Path) -> None:
    answer = multifd("answers", "--results", saved(tmp_path, ran("zlib", "zlib", "none")))

    assert answer.code == 0
    assert "contradicted:" not in answer.out
    assert "· not shown: " in answer.out


def test_an_edited_verdict_is_a_contradiction_that_names_claim_cell_expected_and_seen(tmp_path: Path) -> None:
    saved(tmp_path, GOOD)
    edit(tmp_path / store.RESULTS)

    answer = multifd("answers", "--results", tmp_path)

    assert answer.code == 1
    line = f"contradicted: {SHOWS}: {GOOD.id}: expected pass, seen refused"
    assert f"multifd: qatzip-output: {line}\n" in answer.err
    assert f"✗ contradicted: {SHOWS}" in answer.out
    assert "qatzip, libraries: 4 of 9 identical: qatzip to zlib is refused" in answer.out


def test_an_edited_verdict_makes_the_report_not_conforming(tmp_path: Path) -> None:
    saved(tmp_path, GOOD)
    edit(tmp_path / store.RESULTS)

    answer = multifd("report", tmp_path)

    assert answer.code == 1
    for name in ("report.html", "report.md"):
        text = (tmp_path / name).read_text()
        assert "Not conforming" in text
        assert "expected pass, seen refused" in text
    assert 'failures="1"' in (tmp_path / "junit.xml").read_text()


@pytest.mark.parametrize("name", [store.EVENTS, store.RESULTS])
def test_neither_the_log_nor_the_results_can_be_edited_alone(name: str, tmp_path: Path) -> None:
    logged(tmp_path, GOOD, end=END)
    multifd("report", tmp_path)
    edit(tmp_path / name)

    answer = multifd("answers", "--results", tmp_path)

    assert answer.code == 1
    assert f"{GOOD.id}: expected pass, seen refused" in answer.err


def test_results_that_are_not_those_of_their_log_are_bad_input(tmp_path: Path) -> None:
    other = ran("zlib", "zlib", "none")
    logged(tmp_path, other, end=END)
    multifd("report", tmp_path)
    edit(tmp_path / store.RESULTS)

    answer = multifd("answers", "--results", tmp_path)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"multifd: {tmp_path}/results.json: {other.id}: refused, expected {other.id}: pass as events.jsonl says;"
        f" remedy: multifd report {tmp_path}\n"
    )


def test_a_run_that_is_not_complete_is_exit_3(tmp_path: Path) -> None:
    assert multifd("answers", "--results", logged(tmp_path, GOOD, end=None)).code == 3


def test_where_there_is_no_run_there_is_no_answer(tmp_path: Path) -> None:
    answer = multifd("answers", "--results", tmp_path)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"multifd: {tmp_path}: holds no run, ")


def test_a_program_reads_table_and_answers(tmp_path: Path) -> None:
    answer = multifd("answers", "--json", "--results", saved(tmp_path, GOOD))

    content = json.loads(answer.out)
    rows = {row["framing"]: row["places"] for row in content["table"]["libraries"]}
    assert {"sender": "qatzip", "receiver": "zlib", "ends": "identical"} in rows["qatzip"]
    assert [each["id"] for each in content["answers"]] == ["exchange", *(q.id for q in shipped().questions)]


def test_the_page_of_the_documentation_is_what_the_command_prints() -> None:
    assert multifd("answers", "--markdown").out == (ROOT / "docs/questions.md").read_text()
