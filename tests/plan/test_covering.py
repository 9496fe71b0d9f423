"""Covering arrays: what counts as covered, and what a value would add."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.plan.covering import OPEN, Choice, Tuples

SIZES = st.lists(st.integers(1, 4), min_size=3, max_size=5)


def everything(sizes: list[int]) -> Tuples:
    return Tuples(sizes, lambda factors: np.ones([sizes[factor] for factor in factors], np.bool_))


def combinations(row: list[int], size: int) -> set[tuple[tuple[int, int], ...]]:
    return set(itertools.combinations(enumerate(row), size))


@st.composite
def arrays(draw: st.DrawFn) -> tuple[list[int], list[list[int]]]:
    sizes = draw(SIZES)
    row = st.tuples(*(st.integers(0, size - 1) for size in sizes)).map(list)
    return sizes, draw(st.lists(row, max_size=6))


@given(arrays(), st.sampled_from([2, 3]))
def test_rows_have_their_tuples_and_no_others(given: tuple[list[int], list[list[int]]], size: int) -> None:
    sizes, rows = given
    tuples = everything(sizes)

    for row in rows:
        tuples.mark(np.array(row))

    had = set().union(*(combinations(row, size) for row in rows))
    whole = set().union(*(combinations(list(row), size) for row in itertools.product(*map(range, sizes))))
    assert tuples.count(size) == (len(had), len(whole))
    assert {tuple(members) for members in tuples.missing(size)} == whole - had
    assert all(tuples.lacks(members) == (tuple(members) not in had) for members in map(list, whole))


@given(arrays(), st.data())
def test_what_a_value_adds_is_what_counting_says(given: tuple[list[int], list[list[int]]], data: st.DataObject) -> None:
    sizes, rows = given
    tuples = everything(sizes)
    for row in rows:
        tuples.mark(np.array(row))
    partial = [data.draw(st.integers(OPEN, size - 1)) for size in sizes]
    factor = data.draw(st.integers(0, len(sizes) - 1))
    partial[factor] = OPEN

    gain = tuples.gain(np.array(partial), factor)

    known = [(other, value) for other, value in enumerate(partial) if value != OPEN]
    for value in range(sizes[factor]):
        pairs = [sorted([(factor, value), other]) for other in known]
        triples = [sorted([(factor, value), *others]) for others in itertools.combinations(known, 2)]
        assert gain[value] == 1024 * sum(map(tuples.lacks, pairs)) + sum(map(tuples.lacks, triples))


def test_what_cannot_occur_is_not_counted() -> None:
    tuples = Tuples([2, 2, 2], lambda factors: np.zeros([2] * len(factors), np.bool_))

    assert tuples.count(2) == tuples.count(3) == (0, 0)


def test_counts_by_factors_add_up() -> None:
    tuples = everything([2, 3, 4])
    tuples.mark(np.array([1, 2, 3]))

    assert tuples.by_factors(2) == [((0, 1), 1, 6), ((0, 2), 1, 8), ((1, 2), 1, 12)]


@settings(max_examples=20)
@given(SIZES, st.integers(0, 50))
def test_choosing_value_by_value_covers_all_pairs(sizes: list[int], seed: int) -> None:
    tuples = everything(sizes)
    choice = Choice(tuples, seed)

    rows = 0
    while tuples.missing(2):
        row = np.full(len(sizes), OPEN)
        for factor, size in enumerate(sizes):
            row[factor] = choice.value(row, factor, np.ones(size, np.bool_))
        tuples.mark(row)
        rows += 1
        assert rows <= 3 * 16, "far more rows than the two largest factors need"


def test_only_allowed_values_are_chosen_and_those_chosen_least_first() -> None:
    tuples = everything([1, 3, 1])
    choice = Choice(tuples, 0)
    row = np.array([0, OPEN, OPEN])
    tuples.mark(np.array([0, 0, 0]))
    tuples.mark(np.array([0, 1, 0]))
    tuples.mark(np.array([0, 2, 0]))

    chosen = [choice.value(row, 1, np.array([True, False, True])) for _ in range(4)]

    assert sorted(chosen) == [0, 0, 2, 2]
