"""The Test Anything Protocol, as ``meson test`` reads it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.result.conclusion import exit_code
from multifd.result.record import VERDICT_ORDER, Verdict
from reports import tap
from tests.reports.builder import cell, results

TEST = re.compile(r"(?P<failed>not )?ok (?P<number>\d+) - (?P<name>[^#]*?)(?: # (?P<directive>SKIP|TODO) [^#]*)?")
"""A line of a test, as meson reads it (mesonbuild/mtest.py, TAPParser): any number sign begins a directive."""


def lines(*verdicts: Verdict, complete: bool = True) -> list[str]:
    cells = (cell(id=f"c{n}", verdict=verdict, reason="why", issues=("mask",)) for n, verdict in enumerate(verdicts))
    return tap.render(results(*cells, complete=complete)).splitlines()


def test_the_plan_comes_before_the_cells() -> None:
    assert lines("pass", "refused") == ["TAP version 13", "1..2", "ok 1 - c0", "ok 2 - c1"]


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        ("pass", "ok 1 - c0"),
        ("hazard", "ok 1 - c0"),
        ("known", "not ok 1 - c0 # TODO mask"),
        ("skip", "ok 1 - c0 # SKIP why"),
        ("fail", "not ok 1 - c0"),
        ("error", "not ok 1 - c0"),
        ("not-run", "not ok 1 - c0"),
    ],
)
def test_a_verdict_has_its_outcome(verdict: Verdict, line: str) -> None:
    assert lines(verdict)[2] == line


def test_a_hazard_says_what_it_is_although_it_is_ok() -> None:
    assert lines("hazard")[3] == "# hazard: why"


def test_a_failure_has_what_was_seen_and_how_to_see_it_again() -> None:
    bad = cell(id="c", verdict="fail", kind="crash", reason="it died", error="signal 11", reproduce="run it")

    assert tap.render(results(bad)).splitlines()[2:6] == ["not ok 1 - c", "# crash: it died", "# signal 11", "# run it"]


def test_a_run_that_broke_bails_out() -> None:
    assert lines("pass", complete=False)[-1].startswith("Bail out! Incomplete: ")
    assert tap.bail_out("no\nplan") == "TAP version 13\nBail out! no plan\n"


def test_a_run_in_which_nothing_was_checked_says_so() -> None:
    assert lines("skip")[-1].startswith("# Nothing was checked: ")


def test_no_directive_begins_in_what_peers_say() -> None:
    bad = cell(id="a # SKIP b", verdict="fail", reason="c\nok 9 - d # TODO", error="Bail out!")

    made = tap.render(results(bad)).splitlines()

    assert made[2] == r"not ok 1 - a \u0023 SKIP b"
    assert all(line.startswith("# ") for line in made[3:])


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(VERDICT_ORDER), st.text())))
def test_a_reader_counts_what_the_run_has_whatever_peers_say(cells: list[tuple[Verdict, str]]) -> None:
    run = results(
        *(cell(id=f"{n} {text}", verdict=verdict, reason=text, error=text) for n, (verdict, text) in enumerate(cells))
    )

    found = [match for line in tap.render(run).splitlines() if (match := TEST.fullmatch(line))]

    assert [int(match["number"]) for match in found] == list(range(1, len(cells) + 1))
    directives = {"skip": "SKIP", "known": "TODO"}
    assert [match["directive"] for match in found] == [directives.get(verdict) for verdict, _ in cells]
    bad = any(match["failed"] and not match["directive"] for match in found) or "Bail out!" in tap.render(run)
    assert not bad or exit_code(run) != 0


def test_behind_a_failure_stands_why_it_should_have_been_otherwise() -> None:
    text = tap.render(
        results(
            cell(id="red", verdict="fail", kind="crash", reason="it died", predicted_because="all that is sent is read")
        )
    )

    assert "# crash: it died\n# predicted identical: all that is sent is read\n" in text
