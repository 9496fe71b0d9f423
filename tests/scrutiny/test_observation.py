"""Observations: what is not as expected, grouped by what it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.result.record import Severity
from multifd.scrutiny.observation import Observation, observations, ranges, severity


def test_what_is_as_expected_everywhere_is_one_observation() -> None:
    assert list(observations("a page", "identical", {"raw": "identical", "gzip": "identical"})) == [
        Observation("a page", "identical", "identical", True)
    ]


def test_every_other_outcome_is_an_observation_of_its_own() -> None:
    outcomes = {"raw": "refused", "zlib": "identical", "gzip": "refused", "4B": "OK with wrong bytes"}

    assert [one.complaint for one in observations("a page", "identical", outcomes)] == [
        "a page: expected identical, observed refused (raw, gzip)",
        "a page: expected identical, observed OK with wrong bytes (4B)",
    ]


def test_a_line_is_json_with_all_fields() -> None:
    (seen,) = observations("a page", "identical", {"raw": "refused"})

    assert json.loads(seen.line()) == {
        "case": "a page",
        "expected": "identical",
        "observed": "refused (raw)",
        "ok": False,
        "severity": "contract",
    }


@pytest.mark.parametrize(
    ("text", "harm"),
    [
        ("OK with wrong bytes", "corruption"),
        ("refused, and 3 bytes behind the destination", "corruption"),
        ("OK, but not readable: no end", "corruption"),
        ("signal SIGSEGV, then wrong bytes", "corruption"),
        ("signal SIGSEGV at 1-19", "crash"),
        ("1006 more (pthread keys)", "leak"),
        ("OK with 10 of 4096 bytes", "contract"),
    ],
)
def test_the_worst_word_decides_what_it_means(text: str, harm: Severity) -> None:
    assert severity(text) == harm


def test_neighbours_are_a_range() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"


@given(st.sets(st.integers(0, 60)))
def test_ranges_lose_nothing(numbers: set[int]) -> None:
    told = [part.split("-") for part in ranges(sorted(numbers)).split(", ") if part]

    assert {n for part in told for n in range(int(part[0]), int(part[-1]) + 1)} == numbers
