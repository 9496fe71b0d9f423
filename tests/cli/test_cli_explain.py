"""``multifd explain --results``: what a run predicted of a cell, why, and what disagreed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from multifd.result import store
from multifd.result.record import Cell, Results, Rule
from multifd.result.store import End
from tests.cli.command import multifd
from tests.cli.test_cli_runs import logged
from tests.reports.builder import cell, results

RULES: Final = tuple(Rule(name=name, holds=f"{name} is as it should be") for name in ("told", "flags", "container"))
RED: Final = cell(
    id="red", predicted="rejected", observed="rejected", verdict="fail", kind="wrong-error", rule="flags",
    predicted_because="zlib is sent; zstd is read", reason="rejected with 'x', expected an error like 'y'",
    error="x\x1b[31m", complaints=("one thing", "another"), aftermath="the source lives", reproduce="run red",
    artifacts=("exhibits/red/source.words.json",),
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
        cell(id="lucky", verdict="refused", predicted="hazard", error="Extra channel"),
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
        "observed rejected: one end or both end it with an error",
        "verdict fail: observed is not what was predicted; the kind says how; wrong-error: the error is not what was"
        " predicted: another one, one where none was, or none where a known issue has one",
        "rejected with 'x', expected an error like 'y'",
        r"error: x\u001b[31m",
        "what came after: the source lives",
        "differs: one thing",
        "differs: another",
        "No packet can be named: nothing was kept of what was sent, or no receiver says where it went wrong and no page"
        " is known to be wrong.",
        "more: multifd bundle red -o cell.tar.gz",
        "more: multifd dissect cell.tar.gz",
        f"artifact: {directory}/exhibits/red/source.words.json",
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


def test_programs_get_where_the_words_are_and_why_no_packet_is_named(directory: Path) -> None:
    told = json.loads(multifd("explain", "--results", directory, "red", "--json").out)

    assert told["artifacts"] == [f"{directory}/exhibits/red/source.words.json"]
    assert (told["packets"], told["unnamed"]["why"][:22]) == ([], "No packet can be named")


def test_packets_that_are_kept_stand_there_instead(directory: Path) -> None:
    made = run(cell(id="kept", verdict="fail", artifacts=("exhibits/kept/packets.json",)))
    (directory / "exhibits/kept").mkdir(parents=True)
    (directory / "exhibits/kept/packets.json").write_text('["3: flags 4"]', encoding="utf-8")
    (directory / "results.json").write_text(made.model_dump_json(by_alias=True), encoding="utf-8")

    told = lines(directory, "kept")

    assert "packet: 3: flags 4" in told
    assert not [line for line in told if line.startswith("more: ")]


def test_a_refusal_that_was_met_sooner_than_a_hazard_says_so(directory: Path) -> None:
    assert "or refused sooner, which is luck; it was, with the error: Extra channel" in lines(directory, "lucky")


@pytest.mark.parametrize("option", [("--memory", "foo"), ("--hwprofile", "foo"), ("--qemu", "foo"), ("--seed", "1")])
def test_what_decides_a_plan_is_refused_beside_results(option: tuple[str, str], directory: Path) -> None:
    answer = multifd("explain", "--results", directory, "red", *option)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"multifd: {option[0]} decides a plan, and with --results nothing is planned; leave it out\n"


def test_results_that_are_not_those_of_their_log_are_said(tmp_path: Path) -> None:
    logged(tmp_path, RED, end=End("2025-11-22T20:01:23Z", interrupted=False))
    store.save(run(RED.model_copy(update={"reason": "another"})), tmp_path)

    assert f"multifd: {tmp_path}/events.jsonl is read; " in multifd("explain", "--results", tmp_path, "red").err


def test_a_cell_without_a_name_is_refused() -> None:
    answer = multifd("explain", "")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "multifd: CELL '': expected an id, a part of one, or a pattern; '*' is all\n"


def test_parts_of_ids_and_patterns_do(directory: Path) -> None:
    assert [line.split()[1] for line in lines(directory, "*re*") if line.startswith("cell ")] == [
        "red", "green", "before",
    ]  # fmt: skip


def test_a_cell_that_the_run_does_not_have_is_refused(directory: Path) -> None:
    answer = multifd("explain", "--results", directory, "rde")

    assert (answer.code, answer.out) == (2, "")
    assert "no cell 'rde'" in answer.err
    assert "red" in answer.err
