"""What peers cost over time: CPU seconds for each GiB of memory, of the same cells in every run. Pure.

A row is one peer in one framing and role, as it ran. Plans differ from run to run, and with them content, so a row is
compared over those cells that all its runs have; a run that has fewer than half of the last one's is left out. A host
is faster or slower from one run to the next, for all rows together: with enough rows that pace is taken out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, log
from statistics import median
from typing import Final, NamedTuple

from multifd.comparison.costs import ENOUGH, LEAST, NORMAL, SIGMAS
from multifd.history.entries import Measure, Past
from multifd.result.record import Model, Provenance, Role

BEFORE: Final = 4
"""Runs that say what is usual, before one can be unusual."""

_Cells = dict[int, tuple[float, int]]
"""CPU seconds and bytes, by cell."""


class Point(Model):
    """One run of a row."""

    run: str
    """Its id."""
    started: str
    """ISO 8601, UTC."""
    cost: float
    """CPU seconds for each GiB, the host's pace taken out."""


class Trend(Model):
    """One peer in one framing, over time."""

    framing: str
    """What it encodes or decodes."""
    peer: str
    """Who."""
    role: Role
    """Encoding as sender, decoding as receiver."""
    provenance: Provenance | None
    """How it ran; what ran otherwise is another row."""
    cells: int
    """That all its runs have."""
    points: tuple[Point, ...]
    """The oldest first; two at least."""
    usual: float | None
    """The median of those before the last; None where they are too few."""
    limit: float | None
    """What the last may differ from that without meaning anything, as a ratio above 1."""
    beyond: bool
    """It differs by more."""

    @property
    def ratio(self) -> float:
        """The last to what is usual, or to the first."""
        return self.points[-1].cost / (self.usual or self.points[0].cost)


class _Row(NamedTuple):
    framing: str
    peer: str
    role: Role
    provenance: Provenance | None


def trends(measures: Iterable[Measure], runs: Sequence[Past]) -> tuple[Trend, ...]:
    """Every row that two runs have, what changed most first; ``runs`` are all of them, the oldest first."""
    found: dict[_Row, dict[int, _Cells]] = {}
    for each in measures:
        row = _Row(each.framing, each.peer, each.role, each.provenance)
        found.setdefault(row, {}).setdefault(each.run, {})[each.cell] = each.cpu, each.memory
    rows = {row: costs for row, cells in found.items() if len((costs := _comparable(cells, runs))[1]) > 1}
    pace = _pace([costs for _, costs in rows.values()], runs)
    made = (
        _trend(row, shared, {run: cost / pace[run] for run, cost in costs.items()}, runs)
        for row, (shared, costs) in rows.items()
    )
    return tuple(sorted(made, key=lambda trend: -abs(log(trend.ratio))))


def _comparable(cells: dict[int, _Cells], runs: Sequence[Past]) -> tuple[int, dict[int, float]]:
    """How many cells are shared, and by run what they cost together."""
    latest, *older = [run.number for run in reversed(runs) if run.number in cells]
    shared, members = set(cells[latest]), [latest]
    for run in older:
        both = shared & set(cells[run])
        if 2 * len(both) >= len(cells[latest]):
            shared, members = both, [*members, run]
    totals = {run: [sum(part) for part in zip(*(cells[run][cell] for cell in shared), strict=True)] for run in members}
    return len(shared), {run: cpu / (memory / (1 << 30)) for run, (cpu, memory) in totals.items()}


def _pace(rows: Sequence[dict[int, float]], runs: Sequence[Past]) -> dict[int, float]:
    """How much slower than usual the host was in each run; 1 where too few rows could say."""
    ratios: dict[int, list[float]] = {run.number: [] for run in runs}
    for costs in rows:
        middle = median(costs.values())
        for run, cost in costs.items():
            ratios[run].append(cost / middle)
    return {run: median(found) if len(found) >= ENOUGH else 1.0 for run, found in ratios.items()}


def _trend(row: _Row, shared: int, costs: dict[int, float], runs: Sequence[Past]) -> Trend:
    points = tuple(
        Point(run=run.id, started=run.started, cost=costs[run.number]) for run in runs if run.number in costs
    )
    *before, last = [log(point.cost) for point in points]
    usual = median(before) if len(before) >= BEFORE else None
    limit = None if usual is None else max(log(LEAST), SIGMAS * NORMAL * median(abs(each - usual) for each in before))
    return Trend(
        **row._asdict(),
        cells=shared,
        points=points,
        usual=None if usual is None else exp(usual),
        limit=None if limit is None else exp(limit),
        beyond=usual is not None and limit is not None and abs(last - usual) > limit,
    )
