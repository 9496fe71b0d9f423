"""What methods cost, and the order that follows from it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from multifd.advice.cost import costs
from multifd.advice.lines import UNLIKE, USUAL, Direction, Fleet, Line, Standing, ordered
from multifd.result.known import ROOT
from multifd.result.record import Cell, CpuSeconds, Results
from tests.reports.builder import cell, results

GIB = 1 << 30


def took(method: str, left: float | None, reached: float | None, **changes: Any) -> Cell:
    """A cell of two QEMUs and 1 GiB, in which the ends took so many CPU seconds."""
    fields: dict[str, Any] = {
        "suite": "qemu", "sender": "qemu-10.2", "receiver": "qemu-10.2", "framing": method, "scenario": "defaults",
        "bytes_memory": GIB, "cpu_seconds": CpuSeconds(sender=left, receiver=reached), **changes,
    }  # fmt: skip
    return cell(**fields)


def run(*cells: Cell) -> Results:
    return results(*cells)


def test_a_method_costs_what_it_takes_beyond_none_with_the_same_content() -> None:
    found = costs(run(took("none", 1.0, 2.0), took("zlib", 11.0, 4.0)))

    assert found == {"none": 0.0, "zlib": 12.0}


def test_cost_is_of_a_gibibyte() -> None:
    half = {"bytes_memory": GIB // 2}

    assert costs(run(took("none", 1.0, 1.0, **half), took("zstd", 2.0, 2.0, **half)))["zstd"] == 4.0


@pytest.mark.parametrize(
    "other",
    [{"corpus": "zero"}, {"scenario": "tcp"}, {"channels": 4}, {"blocks": "odd"}, {"bytes_memory": 2 * GIB}],
    ids=str,
)
def test_other_content_is_not_compared(other: dict[str, Any]) -> None:
    assert "zlib" not in costs(run(took("none", 1.0, 1.0, **other), took("zlib", 2.0, 2.0)))


def test_one_cell_that_others_disturbed_does_not_decide() -> None:
    scenarios = ("defaults", "tcp", "return-path")
    plain = [took("none", 1.0, 1.0, scenario=scenario) for scenario in scenarios]
    zlib = [
        took("zlib", cost, 1.0, scenario=scenario) for cost, scenario in zip((3.0, 90.0, 4.0), scenarios, strict=True)
    ]

    assert costs(run(*plain, *zlib))["zlib"] == 3.0


@pytest.mark.parametrize(
    "cells",
    [
        (took("none", 1.0, 1.0), took("zlib", None, 1.0)),
        (took("none", 1.0, 1.0), took("zlib", 2.0, 2.0, verdict="fail")),
        tuple(took(method, 1.0, 1.0, sender="own", receiver="own") for method in ("none", "zlib")),
    ],
    ids=["not measured", "not right", "a peer that is no QEMU"],
)
def test_what_says_nothing_is_left_out(cells: tuple[Cell, ...]) -> None:
    assert "zlib" not in costs(run(*cells))


def test_cost_is_never_less_than_nothing() -> None:
    assert costs(run(took("none", 2.0, 2.0), took("zstd", 1.0, 1.0)))["zstd"] == 0.0


# Order


def line(method: str, verdict: Standing = "safe", **more: Any) -> Line:
    return Line(method=method, verdict=verdict, why="", rests_on="oracle", **more)


def test_safe_comes_first_and_then_what_is_worst() -> None:
    lines = [line("zlib", "unknown"), line("zlib", "refused"), line("zlib", "hazard"), line("zlib")]

    assert [each.verdict for each in ordered(lines)] == ["safe", "hazard", "refused", "unknown"]


def test_what_was_measured_decides_and_else_what_is_usual() -> None:
    assert [each.method for each in ordered([line("zlib"), line("zstd"), line("none")])] == ["none", "zstd", "zlib"]
    measured = [line("zlib", cost=0.1), line("zstd", cost=0.2), line("none", cost=0.0)]
    assert [each.method for each in ordered(measured)] == ["none", "zlib", "zstd"]


def test_what_was_measured_is_in_order_among_itself_and_the_rest_in_its_usual_place() -> None:
    lines = [line("zlib", cost=1.5), line("zstd", cost=8.2), line("qatzip", accelerated=True), line("qpl")]

    assert [each.method for each in ordered(lines)] == ["qatzip", "zlib", "zstd", "qpl"]


def test_what_runs_on_an_accelerator_comes_before_what_the_cpu_compresses() -> None:
    lines = [line("zstd"), line("qatzip", accelerated=True), line("none")]

    assert [each.method for each in ordered(lines)] == ["none", "qatzip", "zstd"]


def test_an_accelerators_method_comes_last_where_there_is_none() -> None:
    assert [each.method for each in ordered([line("qatzip"), line("zlib"), line("none")])] == ["none", "zlib", "qatzip"]


def test_the_usual_order_is_that_of_the_table_which_a_command_printed() -> None:
    page = (ROOT / "docs/advise.md").read_text(encoding="utf-8")

    table = re.findall(r"^\| (\w+) \| ([\d.]+) \|$", page, re.MULTILINE)

    assert tuple(method for method, _ in sorted(table, key=lambda row: float(row[1]))) == USUAL


def test_a_proposal_comes_after_all_that_qemu_does() -> None:
    lines = [line("zlib", library="libqatzip", at="sender"), line("zlib")]

    assert [each.released for each in ordered(lines)] == [True, False]


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([line("zlib"), line("zstd", "hazard")], "safe"),
        ([line("zlib", "refused"), line("zstd", "hazard")], "hazard"),
        ([line("zlib", "refused"), line(UNLIKE, "hazard")], "refused"),
        ([line("zlib", "refused"), line("zlib", library="libqatzip", at="sender")], "refused"),
        ([], "unknown"),
    ],
)
def test_a_direction_is_as_good_as_the_best_method_that_qemu_has(lines: list[Line], verdict: Standing) -> None:
    fleet = Fleet(name="all", versions="10.2")

    assert Direction(sender=fleet, receiver=fleet, lines=ordered(lines)).verdict == verdict
