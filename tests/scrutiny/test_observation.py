"""Observations: what is not as expected, grouped by what it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.result.record import SEVERITY_ORDER, Severity
from multifd.scrutiny.observation import Observation, Seen, observations, ranges, worst


def test_what_is_as_expected_everywhere_is_one_observation() -> None:
    assert list(observations("a page", "identical", {"raw": Seen("identical"), "gzip": Seen("identical")})) == [
        Observation("a page", "identical", "identical", True)
    ]


def test_every_other_outcome_is_an_observation_of_its_own() -> None:
    refused, wrong = Seen("refused"), Seen("OK with wrong bytes", "corruption")
    outcomes = {"raw": refused, "zlib": Seen("identical"), "gzip": refused, "4B": wrong}

    seen = list(observations("a page", "identical", outcomes))

    assert [(one.complaint, one.severity) for one in seen] == [
        ("a page: expected identical, observed refused (raw, gzip)", "contract"),
        ("a page: expected identical, observed OK with wrong bytes (4B)", "corruption"),
    ]


def test_a_line_is_json_with_all_fields() -> None:
    (seen,) = observations("a page", "identical", {"raw": Seen("refused")})

    assert json.loads(seen.line()) == {
        "case": "a page",
        "expected": "identical",
        "observed": "refused (raw)",
        "ok": False,
        "severity": "contract",
    }


def test_what_was_written_is_what_is_read() -> None:
    (seen,) = observations("a page", "identical", {"raw": Seen("signal SIGSEGV", "crash")})

    assert Observation.parse(seen.line()) == seen


@pytest.mark.parametrize("line", ["", "no JSON", "{}", '{"case": "one"}', "[]", "1"])
def test_what_is_no_observation_is_refused(line: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        Observation.parse(line)


@given(st.sets(st.sampled_from(SEVERITY_ORDER), min_size=1))
def test_the_worst_severity_comes_first_in_the_order(severities: set[Severity]) -> None:
    assert worst(severities) == next(one for one in SEVERITY_ORDER if one in severities)


def test_neighbours_are_a_range() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"


@given(st.sets(st.integers(0, 60)))
def test_ranges_lose_nothing(numbers: set[int]) -> None:
    told = [part.split("-") for part in ranges(sorted(numbers)).split(", ") if part]

    assert {n for part in told for n in range(int(part[0]), int(part[-1]) + 1)} == numbers
