"""The cells at hand are those that the run has planned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import InputError
from multifd.result.planned import check_planned, plan_digest
from multifd.result.record import Cell
from tests.reports.builder import cell, results

PLAN = (cell(id="wire/1"), cell(id="wire/2"), cell(id="qemu/1", suite="qemu"))
RUN = results(*PLAN).run


def test_equal_plans_have_equal_digests_in_whatever_order() -> None:
    assert plan_digest(["b", "a"]) == plan_digest(["a", "b"]) == "7e18f737311b2dc3"


@given(st.sets(st.text("ab/", min_size=1, max_size=4)), st.sets(st.text("ab/", min_size=1, max_size=4)))
def test_different_plans_have_different_digests(one: set[str], other: set[str]) -> None:
    assert (plan_digest(one) == plan_digest(other)) == (one == other)


def refusal(*cells: Cell) -> str:
    with pytest.raises(InputError) as error:
        check_planned(RUN, cells, "here")
    return str(error.value)


def test_the_planned_cells_are_accepted_in_whatever_order() -> None:
    check_planned(RUN, PLAN[::-1], "here")


def test_a_run_that_planned_nothing_has_no_cells() -> None:
    check_planned(results().run, (), "here")


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ((), "no cells"),
        (PLAN[:2], "wire 2"),
        (PLAN[1:], "wire 1, qemu 1"),
        ((*PLAN, PLAN[0]), "wire 3, qemu 1"),
        ((*PLAN, cell(suite="new")), "wire 2, qemu 1, new 1"),
    ],
    ids=["none", "a suite lost", "one lost", "one twice", "a suite more"],
)
def test_more_or_fewer_cells_are_refused_with_their_number(cells: tuple[Cell, ...], found: str) -> None:
    assert refusal(*cells) == f"here: by suite {found}, expected wire 2, qemu 1 as run.coverage says"


def test_as_many_cells_of_other_names_are_refused_with_their_digest() -> None:
    others = (PLAN[0], cell(id="wire/3"), PLAN[2])

    digest = plan_digest(["wire/1", "wire/3", "qemu/1"])
    assert refusal(*others) == f"here: the digest of the ids is '{digest}', expected '{RUN.plan}' as run.plan says"
