"""Ways to look at a plan."""

from __future__ import annotations

from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.whole import Plan


def of(planned: Plan, suite: str) -> list[PlannedCell]:
    """The cells of a suite."""
    return [cell for cell in planned.cells.values() if cell.suite == suite]


def changed(line_up: LineUp, name: str, **changes: object) -> LineUp:
    """The line-up with one peer that is not as it was."""
    peers = [p.model_copy(update=changes) if p.name == name else p for p in line_up.peers]
    return line_up.model_copy(update={"peers": tuple(peers)})


def only(line_up: LineUp, *peers: LineUpPeer) -> LineUp:
    """A line-up of these."""
    return line_up.model_copy(update={"peers": peers})
