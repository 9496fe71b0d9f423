"""Cost in two runs: what is beyond noise is told, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from multifd.comparison.compared import compare
from multifd.comparison.costs import ENOUGH, FEW, LEAST, Costs, costs
from multifd.result.record import Cell, CpuSeconds, Results, Sides
from tests.reports.builder import cell, results

ROWS = 20
CELLS = 12
MEMORY = 1 << 20


def measured(cost: Callable[[int, int], float], rows: int = ROWS, cells: int = CELLS, **fields: Any) -> Results:
    """A run in which row ``r`` took ``cost(r, n)`` CPU seconds to encode in its cell ``n``."""
    return results(*_cells(cost, rows, cells, fields))


def _cells(cost: Callable[[int, int], float], rows: int, cells: int, fields: dict[str, Any]) -> Iterator[Cell]:
    for row in range(rows):
        for number in range(cells):
            yield cell(**{
                "id": f"wire/{row}/{number}", "sender": f"peer-{row}", "bytes_memory": MEMORY,
                "cpu_seconds": CpuSeconds(sender=cost(row, number)),
                **fields,
            })  # fmt: skip


def even(row: int, number: int) -> float:
    return 0.01 * (1 + number)


def noisy(seed: int) -> Callable[[int, int], float]:
    """Up to a fifth more or less."""
    dice = random.Random(seed)
    return lambda row, number: even(row, number) * dice.uniform(0.83, 1.2)


def names(found: Costs) -> list[tuple[str, str]]:
    return [(change.peer, change.direction) for change in found.changes]


def test_the_same_cost_is_no_change() -> None:
    found = costs(measured(even), measured(even))

    assert (found.rows, found.why, names(found)) == (ROWS, None, [])
    assert found.pace == pytest.approx(1)


def test_noise_is_no_change() -> None:
    assert names(costs(measured(noisy(1)), measured(noisy(2)))) == []


def test_a_host_that_is_slower_for_all_is_no_change() -> None:
    found = costs(measured(noisy(1)), measured(lambda row, number: 2 * even(row, number)))

    assert names(found) == []
    assert found.pace == pytest.approx(2, rel=0.2)


def test_rows_that_all_lie_apart_are_noise() -> None:
    def after(row: int, number: int) -> float:
        return even(row, number) * (1.6 if row % 2 else 0.6)

    found = costs(measured(even), measured(after))

    assert (names(found), (found.noise or 0) > 1.6) == ([], True)


def test_a_cost_that_is_beyond_the_noise_is_a_regression_and_less_is_none() -> None:
    dear = measured(lambda row, number: even(row, number) * (3 if row == 7 else 1))

    assert (compare(measured(even), dear).regressions, compare(dear, measured(even)).regressions) == (1, 0)


@pytest.mark.parametrize(("factor", "direction"), [(3, "worse"), (1 / 3, "better")])
def test_one_peer_that_is_beyond_the_noise_is_told(factor: float, direction: str) -> None:
    def after(row: int, number: int) -> float:
        return even(row, number) * (factor if row == 7 else 1)

    found = costs(measured(noisy(1)), measured(after))

    assert names(found) == [("peer-7", direction)]
    assert found.changes[0].ratio == pytest.approx(factor, rel=0.2)


def test_the_cost_is_told_in_seconds_for_each_gib() -> None:
    (change,) = costs(measured(even), measured(lambda r, n: even(r, n) * (2 if r == 0 else 1))).changes

    total = sum(0.01 * (1 + number) for number in range(CELLS))
    assert change.before == pytest.approx(total * 1024 / CELLS)
    assert change.after == pytest.approx(2 * change.before)
    assert change.ratio == pytest.approx(2)
    assert change.cells == CELLS


@pytest.mark.parametrize(("factor", "told"), [(LEAST * 1.01, True), (LEAST * 0.99, False)])
def test_without_any_noise_a_little_is_still_not_worth_a_word(factor: float, told: bool) -> None:
    found = costs(measured(even), measured(lambda r, n: even(r, n) * (factor if r == 0 else 1)))

    assert bool(found.changes) == told


def test_what_most_cells_of_a_row_do_not_say_is_not_told() -> None:
    def after(row: int, number: int) -> float:
        return even(row, number) * (9 if row == 7 and number % 8 >= 3 else 1)

    assert names(costs(measured(even), measured(after))) == []


def test_one_encoding_that_many_decode_counts_once() -> None:
    found = costs(measured(lambda row, number: 1.0 + row), measured(lambda row, number: 2.0 + row))

    assert found.why == f"0 rows with {FEW} cells or more in both runs; the noise shows with {ENOUGH}"


@pytest.mark.parametrize(("rows", "cells"), [(ENOUGH - 1, CELLS), (ROWS, FEW - 1)])
def test_where_too_little_was_measured_nothing_is_said(rows: int, cells: int) -> None:
    found = costs(measured(even, rows, cells), measured(lambda r, n: 9 * even(r, n), rows, cells))

    assert (found.pace, found.noise, found.changes) == (None, None, ())
    assert found.why is not None


def test_so_much_is_enough() -> None:
    assert costs(measured(even, ENOUGH, FEW), measured(even, ENOUGH, FEW)).why is None


@pytest.mark.parametrize("fields", [
    {"verdict": "refused"}, {"suite": "qemu"}, {"bytes_memory": 0}, {"provenance": Sides(sender="emulated")},
    {"cpu_seconds": CpuSeconds()}, {"cpu_seconds": CpuSeconds(sender=0.0)},
])  # fmt: skip
def test_only_what_passed_as_it_passed_before_and_was_measured_counts(fields: dict[str, Any]) -> None:
    assert costs(measured(even), measured(even, **fields)).rows == 0


def test_between_two_processors_nothing_is_said() -> None:
    after = measured(lambda r, n: even(r, n) * (9 if r == 0 else 1))
    after = after.model_copy(update={"run": after.run.model_copy(update={"host": {"cpu": "another"}})})

    found = costs(measured(even), after)

    assert (found.changes, found.why) == ((), "the processors differ: Intel Xeon Gold 6430, another")


def test_decoding_is_a_row_of_its_own() -> None:
    def made(factor: float) -> Results:
        cells = [
            cell(id=f"wire/{row}/{n}", receiver=f"peer-{row}", bytes_memory=MEMORY,
                 cpu_seconds=CpuSeconds(receiver=0.01 * (factor if row == 3 else 1)))
            for row in range(ROWS) for n in range(CELLS)
        ]  # fmt: skip
        return results(*cells)

    (change,) = costs(made(1), made(4)).changes

    assert (change.peer, change.role, change.cells) == ("peer-3", "receiver", CELLS)
