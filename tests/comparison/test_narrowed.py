"""A shard compared: with the whole run, with the same shard of another, with another shard."""

from __future__ import annotations

from typing import Final

import pytest

from multifd.comparison.compared import compare
from multifd.result.record import Results
from reports.difference import difference, lines
from tests.comparison.divided import shard
from tests.reports.builder import cell, finding, peer, results

CELLS: Final = tuple(cell(id=f"wire/{number}") for number in range(6))
WHOLE: Final = results(*CELLS, findings=(finding(cells=("wire/1",)),))


def other(run: Results) -> Results:
    return run.model_copy(update={"run": run.run.model_copy(update={"id": "other"})})


def worse(number: int) -> Results:
    """The whole run, one of whose cells fails."""
    failed = cell(id=f"wire/{number}", verdict="fail", kind="hang")
    return other(results(*(failed if each.id == failed.id else each for each in CELLS), findings=WHOLE.findings))


@pytest.mark.parametrize("shards", [(WHOLE, shard(WHOLE, 1, 2)), (shard(WHOLE, 1, 2), WHOLE)])
def test_cells_of_other_shards_are_not_gone(shards: tuple[Results, Results]) -> None:
    found = compare(*shards)

    assert (found.cells, found.findings, found.regressions, found.same_plan) == ((), (), 0, True)


def test_a_regression_of_a_shard_is_found_in_the_whole_run() -> None:
    assert compare(shard(WHOLE, 1, 2), worse(2)).regressions == 1
    assert compare(shard(WHOLE, 1, 2), worse(3)).regressions == 0
    assert compare(WHOLE, shard(worse(2), 1, 2)).regressions == 1


def test_what_a_whole_run_does_not_plan_is_told_of_a_shard() -> None:
    before = results(*CELLS[1:])

    assert [change.cell for change in compare(before, shard(WHOLE, 1, 2)).cells] == ["wire/0"]


def test_two_different_shards_have_nothing_in_common() -> None:
    assert compare(shard(WHOLE, 1, 2), shard(WHOLE, 2, 2)).cells == ()


def test_silicon_that_is_gone_is_told_whatever_cells_a_shard_has() -> None:
    before = results(*CELLS, cell(id="wire/6", sender="qat"))
    before = before.model_copy(update={"peers": (*before.peers, peer("qat", "hardware"))})

    assert [each.name for each in compare(before, shard(WHOLE, 1, 2)).peers] == ["qat"]


def test_who_only_other_shards_name_is_not_gone() -> None:
    before = results(*CELLS, cell(id="wire/6", sender="stand-in"))
    before = before.model_copy(update={"peers": (*before.peers, peer("stand-in", "software"))})

    assert compare(before, shard(WHOLE, 1, 2)).peers == ()


def test_the_head_says_which_shard_it_is() -> None:
    _, head, *_ = lines(difference(compare(WHOLE, shard(WHOLE, 1, 2))))

    assert ", shard 1/2: cells of the others are not compared, profile software-only" in head.text
