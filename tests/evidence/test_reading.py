"""Jobs between two readings: known only where both are known, in order, and whole."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.evidence.reading import Count, Reading, Unknown, moved


@given(st.dictionaries(st.text(min_size=1), st.tuples(st.integers(0), st.integers(0)), min_size=1))
def test_jobs_are_what_all_counts_rose_by(counts: Mapping[str, tuple[int, int]]) -> None:
    before = {name: Count(count) for name, (count, _) in counts.items()}
    after = {name: Count(count + jobs) for name, (count, jobs) in counts.items()}

    assert moved(before, after) == sum(jobs for _, jobs in counts.values())


def test_a_count_that_is_alone_on_its_unit_has_no_times() -> None:
    assert Count(7) == Count(7, 0, 0)


def test_a_counter_that_counted_all_the_time_is_believed() -> None:
    assert moved({"a": Count(1, 900, 800)}, {"a": Count(5, 1900, 1800)}) == 4


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        pytest.param({}, {}, "nothing counts", id="nothing was read"),
        pytest.param({"a": Unknown("closed")}, {"a": Count(5)}, "a: closed", id="not readable before"),
        pytest.param({"a": Count(5)}, {"a": Unknown("closed")}, "a: closed", id="not readable after"),
        pytest.param({"a": Count(5)}, {}, "a: it is gone", id="device is gone"),
        pytest.param(
            {"a": Count(5), "b": Count(7)}, {"a": Count(9), "b": Count(6)},
            "b: its count went backwards, from 7 to 6: the device was reset", id="device was reset",
        ),
        pytest.param(
            {"a": Count(5, 100, 100)}, {"a": Count(9, 300, 290)},
            "a: it counted for 95 % of the time only: other programs (perf) count on its unit, too", id="in turns",
        ),
        pytest.param(
            {"a": Count(5, 100, 0)}, {"a": Count(5, 300, 0)},
            "a: it counted for 0 % of the time only: other programs (perf) count on its unit, too", id="never",
        ),
        pytest.param(
            {"a": Count(5, 100, 100)}, {"a": Count(5, 100, 99)},
            "a: it counted for 0 % of the time only: other programs (perf) count on its unit, too", id="no time",
        ),
    ],
)  # fmt: skip
def test_without_two_counts_in_order_the_reason_is_known_instead(before: Reading, after: Reading, why: str) -> None:
    assert moved(before, after) == Unknown(why)
