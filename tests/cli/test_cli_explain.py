"""``multifd explain --results``: what a run predicted of a cell, why, and what disagreed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from multifd.result.record import Cell, Results, Rule
from tests.cli.command import multifd
from tests.reports.builder import cell, results

RULES: Final = tuple(Rule(name=name, holds=f"{name} is as it should be") for name in ("told", "flags", "container"))
RED: Final = cell(
    id="red", predicted="rejected", observed="rejected", verdict="fail", kind="wrong-error", rule="flags",
    predicted_because="zlib is sent; zstd is read", reason="rejected with 'x', expected an error like 'y'",
    error="x\x1b[31m", complaints=("one thing", "another"), aftermath="the source lives", reproduce="run red",
)  # fmt: skip


def run(*cells: Cell) -> Results:
    made = results(*cells)
    return made.model_copy(update={"run": made.run.model_copy(update={"rules": RULES})})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A run of cells that ended in several ways."""
    cells = (
        RED,
        cell(id="green", rule="all-hold", reason="all that is sent is read"),
        cell(id="asked-of-no-rule", suite="vendor", verdict="known", rule="vendor", predicted_because="it says so",
             reason="raw: it wants more", issues=("raw",)),
        cell(id="before", verdict="fail", kind="crash", observed="crash", reason="it died"),
    )  # fmt: skip
    (tmp_path / "results.json").write_text(run(*cells).model_dump_json(by_alias=True), encoding="utf-8")
    return tmp_path


def lines(directory: Path, name: str) -> list[str]:
    answer = multifd("explain", "--results", directory, name)
    assert answer.code == 0, answer.err
    return answer.out.splitlines()


def test_the_chain_comes_link_by_link_then_what_disagreed(directory: Path) -> None:
    told = lines(directory, "red")

    assert told[told.index("") + 1 :] == [
        "  holds    told: told is as it should be",
        "  decides  flags: zlib is sent; zstd is read",
        "",
        "predicted rejected: zlib is sent; zstd is read",
        "observed rejected: the receiver refuses it with an error",
        "verdict fail: observed is not what was predicted; the kind says how; wrong-error: the error is not what was"
        " predicted: another one, one where none was, or none where a known issue has one",
        "rejected with 'x', expected an error like 'y'",
        r"error: x\u001b[31m",
        "what came after: the source lives",
        "differs: one thing",
        "differs: another",
        "run it: run red",
    ]


def test_where_all_rules_hold_none_decides(directory: Path) -> None:
    told = lines(directory, "green")

    assert [line.split()[0] for line in told if "is as it should be" in line] == ["holds"] * 3
    assert not [line for line in told if "decides" in line]
    assert told.count("predicted identical: all that is sent is read") == 1
    assert "all that is sent is read" not in told


def test_where_no_rule_was_asked_there_is_no_chain(directory: Path) -> None:
    told = lines(directory, "asked-of-no-rule")

    assert not [line for line in told if line.startswith("  ")]
    assert "predicted identical: it says so" in told
    assert {"raw: it wants more", "finding raw: multifd finding raw says more"} < set(told)


def test_of_results_from_before_it_is_said_that_they_do_not_say_why(directory: Path) -> None:
    told = lines(directory, "before")

    assert (
        "predicted identical: the results do not say why; without --results the oracle is asked again" in told
    )  # fmt: skip
    assert "it died" in told


def test_programs_get_the_same(directory: Path) -> None:
    told = json.loads(multifd("explain", "--results", directory, "red", "--json").out)

    assert (told["predicted"], told["rule"], told["reason"]) == ("rejected", "flags", RED.predicted_because)
    assert told["chain"] == [
        {"rule": "told", "held": True, "because": "told is as it should be"},
        {"rule": "flags", "held": False, "because": RED.predicted_because},
    ]
    assert (told["verdict"], told["disagreed"], told["reproduce"]) == ("fail", RED.reason, "run red")


def test_what_agreed_has_nothing_that_disagreed(directory: Path) -> None:
    assert json.loads(multifd("explain", "--results", directory, "green", "--json").out)["disagreed"] is None


def test_parts_of_ids_and_patterns_do(directory: Path) -> None:
    assert [line.split()[1] for line in lines(directory, "*re*") if line.startswith("cell ")] == [
        "red", "green", "before",
    ]  # fmt: skip


def test_a_cell_that_the_run_does_not_have_is_refused(directory: Path) -> None:
    answer = multifd("explain", "--results", directory, "rde")

    assert (answer.code, answer.out) == (2, "")
    assert "no cell 'rde'" in answer.err
    assert "red" in answer.err
