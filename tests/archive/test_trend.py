"""Cost over time: the same cells in every run, the host's pace taken out, the last run held against those before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from multifd.history.entries import Measure, Past
from multifd.history.trend import BEFORE, Trend, trends
from multifd.result.record import Provenance
from reports.trend import LINES, bars, plot
from tests.archive.test_judged import past

GIB = 1 << 30
ROWS = 12


def measures(
    runs: int, cost: Callable[[int, int], float], rows: int = ROWS, cells: int = 4, **changes: Any
) -> tuple[list[Measure], list[Past]]:
    """Row ``r`` cost ``cost(run, r)`` seconds for each GiB in each of its cells."""
    made = [
        Measure(run, cell, "zlib", f"peer-{row:02}", "sender", "software", GIB, cost(run, row))._replace(**changes)
        for run in range(1, runs + 1) for row in range(rows) for cell in range(cells)
    ]  # fmt: skip
    return made, [past(number) for number in range(1, runs + 1)]


def one(found: tuple[Trend, ...], peer: str) -> Trend:
    (trend,) = (each for each in found if each.peer == peer)
    return trend


def costs(trend: Trend) -> list[float]:
    return [round(point.cost, 3) for point in trend.points]


def test_a_row_has_the_cost_of_every_run() -> None:
    found = trends(*measures(3, lambda run, row: 1.0 + (run if row == 0 else 0)))

    assert costs(one(found, "peer-00")) == [2, 3, 4]
    assert [point.run for point in found[0].points] == ["run-1", "run-2", "run-3"]
    assert found[0].cells == 4


def test_a_row_of_one_run_has_no_trend() -> None:
    assert trends(*measures(1, lambda run, row: 1.0)) == ()


def test_what_changed_most_comes_first() -> None:
    found = trends(*measures(2, lambda run, row: 1 + run * {3: 5, 7: 2}.get(row, 0)))

    assert [each.peer for each in found[:2]] == ["peer-03", "peer-07"]


def test_a_host_that_is_slower_for_all_is_taken_out() -> None:
    found = trends(*measures(4, lambda run, row: float(run)))

    assert {tuple(costs(each)) for each in found} == {(2.5, 2.5, 2.5, 2.5)}


def test_with_few_rows_nobody_knows_the_pace() -> None:
    assert costs(trends(*measures(2, lambda run, row: float(run), rows=3))[0]) == [1, 2]


def test_cells_that_not_all_runs_have_play_no_part() -> None:
    made, runs = measures(2, lambda run, row: 1.0, rows=1)
    made += [Measure(2, cell, "zlib", "peer-00", "sender", "software", GIB, 99.0) for cell in (7, 8)]

    (found,) = trends(made, runs)

    assert (costs(found), found.cells) == ([1, 1], 4)


def test_a_run_that_has_fewer_than_half_of_the_last_ones_cells_is_left_out() -> None:
    made, runs = measures(3, lambda run, row: 1.0, rows=1)
    made = [each for each in made if each.run != 2 or each.cell == 0]

    (found,) = trends(made, runs)

    assert ([point.run for point in found.points], found.cells) == (["run-1", "run-3"], 4)


def test_what_ran_otherwise_is_another_row() -> None:
    made, runs = measures(2, lambda run, row: 1.0, rows=1)
    made += [each._replace(provenance="hardware") for each in made]

    assert [each.provenance for each in trends(made, runs)] == ["software", "hardware"]


@pytest.mark.parametrize(("last", "beyond"), [(1.0, False), (1.2, False), (1.3, True), (0.75, True)])
def test_the_last_run_is_held_against_those_before(last: float, beyond: bool) -> None:
    runs = BEFORE + 1
    found = trends(*measures(runs, lambda run, row: last if run == runs and row == 0 else 1.0))

    trend = one(found, "peer-00")
    assert trend.beyond == beyond
    assert trend.usual == pytest.approx(1)
    assert trend.limit == pytest.approx(1.25)


def test_noise_of_the_runs_before_is_no_news() -> None:
    usual = (1.0, 1.4, 0.8, 1.3, 0.9, 1.5)
    found = trends(*measures(6, lambda run, row: usual[run - 1] if row == 0 else 1.0))

    assert not one(found, "peer-00").beyond


def test_few_runs_before_say_nothing() -> None:
    found = trends(*measures(BEFORE, lambda run, row: 9.0 if run == BEFORE and row == 0 else 1.0))

    assert (one(found, "peer-00").usual, one(found, "peer-00").beyond) == (None, False)
    assert one(found, "peer-00").ratio == pytest.approx(9)


# pictures


def test_bars_go_from_zero_to_the_largest() -> None:
    assert bars([0, 1, 4, 8]) == "▁▂▅█"


@pytest.mark.parametrize(("values", "shown"), [([], ""), ([0, 0], "▁▁"), ([3], "█")])
def test_bars_of_nothing_are_nothing(values: list[float], shown: str) -> None:
    assert bars(values) == shown


def picture(*ways: Provenance, rows: int = 2, peer: str = "zlib") -> ElementTree.Element:
    made, runs = measures(3, lambda run, row: 1.0 + run, rows=rows, peer=peer)
    many = [
        each._replace(provenance=way, framing=f"zlib-{row}")
        for way in ways for row in range(rows) for each in made[:: rows or 1]
    ]  # fmt: skip
    return ElementTree.fromstring(plot(trends(many, runs)))


SVG = "{http://www.w3.org/2000/svg}"


def test_hardware_and_software_stand_in_panels_of_their_own() -> None:
    drawn = picture("hardware", "software", "emulated")

    panels = [text.text for text in drawn.iter(f"{SVG}tspan")]
    assert panels == ["hardware", "software", "emulated"]
    assert len(list(drawn.iter(f"{SVG}polyline"))) == 6


def test_a_panel_has_as_many_lines_as_can_be_told_apart_and_says_how_many_more_there_are() -> None:
    drawn = picture("software", rows=LINES + 3)

    assert len(list(drawn.iter(f"{SVG}polyline"))) == LINES
    assert [text.text for text in drawn.iter(f"{SVG}tspan")] == ["software", "and 3 rows more"]


def test_every_point_says_what_it_is() -> None:
    titles = [title.text for title in picture("software", rows=1).iter(f"{SVG}title")]

    assert titles[0] == "zlib encodes zlib-0, 2025-11-01, run run-1: 2"


def test_what_peers_are_called_is_no_markup() -> None:
    drawn = picture("software", rows=1, peer="</text><script>\x1b\x00&")

    assert list(drawn.iter(f"{SVG}script")) == []
    assert any("</text><script>\\u001b\\u0000&" in (text.text or "") for text in drawn.iter(f"{SVG}text"))


def test_nothing_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="no row has a cost in two runs"):
        plot(())
