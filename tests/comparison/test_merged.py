"""Shards put together: the run that they are parts of, or why they are not."""

from __future__ import annotations

from typing import Any, Final

import pytest

from multifd.comparison.merged import Joined, Part, joined
from multifd.errors import InputError
from multifd.result import store
from multifd.result.conclusion import exit_code
from multifd.result.known import findings, shipped
from multifd.result.planned import check_planned
from multifd.result.record import Reach, Results, Subset
from tests.comparison.divided import FEASIBLE, divided, shard
from tests.reports.builder import cell, realistic, results

WHOLE: Final = results(*(cell(id=f"wire/{number}") for number in range(10)))


def one(parts: list[Part]) -> Joined:
    (run,) = joined(parts)
    return run


def test_eight_shards_are_the_run_but_for_times_and_id() -> None:
    whole = realistic()
    parts = divided(whole, 8)

    found = one([*parts[3:], *reversed(parts[:3])]).results

    assert found.cells == whole.cells
    assert (found.peers, found.unable) == (whole.peers, whole.unable)
    assert found.findings == (*findings(whole.cells, shipped()), *whole.findings)
    ours = {"id", "started", "finished", "coverage"}
    assert found.run.model_dump(exclude=ours) == whole.run.model_dump(exclude=ours)
    assert exit_code(found) == exit_code(whole)


def test_coverage_is_that_of_all_cells_together() -> None:
    found = one(divided(WHOLE, 3)).results.run.coverage

    assert (found.pairs, found.triples) == (Reach(had=4, feasible=FEASIBLE),) * 2
    assert found.never == tuple(f"pair {n}" for n in range(FEASIBLE) if n > 3)
    assert found.tuples is None


def test_a_pair_that_two_shards_had_counts_once() -> None:
    parts = divided(WHOLE, 2)
    same = parts[1].results.run.model_copy(update={"coverage": parts[0].results.run.coverage})

    found = one([parts[0], Part("other", parts[1].results.model_copy(update={"run": same}))])

    assert found.results.run.coverage.pairs == Reach(had=2, feasible=FEASIBLE)


def test_a_missing_shard_leaves_the_run_incomplete_and_is_named() -> None:
    found = one([part for part in divided(WHOLE, 3) if part.shard.number != 2])

    assert (found.missing, found.results.run.complete, exit_code(found.results)) == ((2,), False, 3)
    assert found.results.run.missing == ("2/3",)
    assert any(remark.endswith("not in these results: 2/3") for remark in found.results.run.remarks)
    check_planned(found.results.run, found.results.cells, "here")


def test_what_was_left_out_of_the_real_qemus_cells_is_said_though_the_first_shard_has_none_of_them() -> None:
    subset = Subset(cells=1, of=9)
    parts = [Part("a", shard(WHOLE, 1, 2)), Part("b", shard(WHOLE, 2, 2, subset=subset))]

    assert one(parts).results.run.subset == subset


def test_a_failure_is_shown_whatever_shard_is_missing() -> None:
    whole = results(cell(id="wire/0", verdict="fail", kind="corrupt"), cell(id="wire/1"))

    assert exit_code(one(divided(whole, 2)[:1]).results) == 1


def test_a_shard_that_was_cut_off_leaves_the_run_incomplete() -> None:
    parts = [Part("a", shard(WHOLE, 1, 2)), Part("b", shard(WHOLE, 2, 2, complete=False, finished=None))]

    run = one(parts).results.run

    assert (run.complete, run.finished) == (False, None)


def test_shards_may_be_run_on_several_hosts_which_are_named() -> None:
    parts = [Part("a", shard(WHOLE, 1, 2)), Part("b", shard(WHOLE, 2, 2, host={"cpu": "other"}))]

    assert one(parts).results.run.remarks == (
        "its shards were run on several hosts: shard 1/2 on Intel Xeon Gold 6430, shard 2/2 on other",
    )


def test_two_hosts_that_ran_all_shards_are_two_runs() -> None:
    other = [
        Part(f"other-{n}", shard(WHOLE, n, 2, id=f"other-{n}", host={"cpu": "other"})) for n in (1, 2)
    ]  # fmt: skip

    first, second = joined([*divided(WHOLE, 2), *other])

    assert [run.results.run.host["cpu"] for run in (first, second)] == ["Intel Xeon Gold 6430", "other"]
    assert first.results.cells == second.results.cells == WHOLE.cells


@pytest.mark.parametrize("changes", [{"seed": 2}, {"versions": {"multifd": "9"}}, {"profile": "lab"}])
def test_shards_that_were_made_otherwise_are_not_of_one_run(changes: dict[str, Any]) -> None:
    found = joined([Part("a", shard(WHOLE, 1, 2)), Part("b", shard(WHOLE, 2, 2, **changes))])

    assert [run.missing for run in found] == [(2,), (1,)]


def test_runs_that_are_no_shards_stay_as_they_are() -> None:
    other = WHOLE.model_copy(update={"run": WHOLE.run.model_copy(update={"id": "other"})})

    assert [run.results for run in joined([Part("a", WHOLE), Part("b", other)])] == [WHOLE, other]


def with_shard(number: int, **changes: Any) -> Results:
    """A shard of two that says something else of itself."""
    found = shard(WHOLE, number, 2)
    assert found.run.shard is not None
    told = found.run.shard.model_copy(update=changes)
    return found.model_copy(update={"run": found.run.model_copy(update={"shard": told})})


def with_pairs(bits: str) -> Results:
    found = shard(WHOLE, 2, 2)
    assert found.run.coverage.tuples is not None
    tuples = found.run.coverage.tuples.model_copy(update={"pairs": bits})
    coverage = found.run.coverage.model_copy(update={"tuples": tuples})
    return found.model_copy(update={"run": found.run.model_copy(update={"coverage": coverage})})


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        (shard(WHOLE, 1, 2), "b: is the run .* of a; expected each run once"),
        (shard(WHOLE, 1, 2, id="again"), "b: is shard 1/2 of plan .*, as a is, of the same host"),
        (with_shard(2, places=(1,)), "b: run.shard.places: 1 places, expected one for each of 5 cells"),
        (with_shard(2, places=(0, 3, 5, 7, 9)), "b: run.shard.places: 0 is taken by a cell of a"),
        (with_pairs("!"), "b: run.coverage.pairs: run.coverage.tuples.pairs is not base64"),
        (with_pairs("AAAA"), "b: run.coverage.pairs: expected as many feasible ones"),
    ],
)
def test_shards_that_contradict_each_other_are_refused(second: Results, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        joined([Part("a", shard(WHOLE, 1, 2)), Part("b", second)])


def test_shards_without_all_cells_of_their_plan_are_refused() -> None:
    fewer = results(*WHOLE.cells[:8])
    parts = [Part("a", shard(fewer, 1, 2)), Part("b", shard(fewer, 2, 2))]
    for number, part in enumerate(parts):
        assert part.results.run.shard is not None
        told = part.results.run.shard.model_copy(update={"plan": WHOLE.run.plan})
        run = part.results.run.model_copy(update={"shard": told})
        parts[number] = Part(part.where, part.results.model_copy(update={"run": run}))

    with pytest.raises(
        InputError, match=f"a: the digest of the cells of all shards is .*, expected '{WHOLE.run.plan}'"
    ):
        joined(parts)


def test_a_merged_run_is_read_as_any_other(tmp_path: Any) -> None:
    store.save(one(divided(WHOLE, 3)).results, tmp_path)

    assert store.load(tmp_path).cells == WHOLE.cells
