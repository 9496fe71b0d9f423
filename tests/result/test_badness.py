"""Which record of a cell is worse, and so the one that counts."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.result.badness import badness, worse
from multifd.result.record import KIND_ORDER, SEVERITY_ORDER, VERDICT_ORDER, Cell, Kind, Severity, Verdict
from tests.reports.builder import cell

RECORDED = tuple(verdict for verdict in VERDICT_ORDER if verdict != "not-run")


@st.composite
def records(draw: st.DrawFn) -> Cell:
    verdict = draw(st.sampled_from(VERDICT_ORDER))
    kind = draw(st.sampled_from(KIND_ORDER)) if verdict == "fail" else None
    return cell(verdict=verdict, kind=kind, reason=draw(st.sampled_from("abc")))


def test_every_verdict_kind_and_severity_has_its_rank() -> None:
    assert sorted(VERDICT_ORDER) == sorted(get_args(Verdict))
    assert sorted(KIND_ORDER) == sorted(get_args(Kind))
    assert sorted(SEVERITY_ORDER) == sorted(get_args(Severity))


@pytest.mark.parametrize(("bad", "good"), list(pairwise(RECORDED)))
def test_a_worse_verdict_is_not_replaced_by_a_better_one(bad: Verdict, good: Verdict) -> None:
    first, second = cell(verdict=bad), cell(verdict=good)

    assert worse(first, second) is first
    assert worse(second, first) is first


@pytest.mark.parametrize(("bad", "good"), list(pairwise(KIND_ORDER)))
def test_nor_is_a_worse_kind_of_failure(bad: Kind, good: Kind) -> None:
    first, second = cell(verdict="fail", kind=bad), cell(verdict="fail", kind=good)

    assert worse(first, second) is first
    assert worse(second, first) is first


def test_a_failure_without_a_kind_is_the_least_of_its_verdict() -> None:
    assert badness(cell(verdict="fail", kind=None)) > badness(cell(verdict="fail", kind=KIND_ORDER[-1]))


@pytest.mark.parametrize("verdict", RECORDED)
def test_of_equally_bad_ones_the_later_counts(verdict: Verdict) -> None:
    later = cell(verdict=verdict)

    assert worse(cell(verdict=verdict), later) is later


@pytest.mark.parametrize("verdict", RECORDED)
def test_not_run_is_no_record(verdict: Verdict) -> None:
    missing, record = cell(verdict="not-run"), cell(verdict=verdict)

    assert worse(missing, record) is record
    assert worse(record, missing) is record


@given(st.lists(records(), min_size=1))
def test_what_is_left_of_many_is_as_bad_as_the_worst(all_of_them: list[Cell]) -> None:
    left = all_of_them[0]
    for record in all_of_them[1:]:
        left = worse(left, record)

    recorded = [record for record in all_of_them if record.verdict != "not-run"]
    assert badness(left) == min(map(badness, recorded or all_of_them))
