"""Findings of two runs: which are new, which are still there, which are gone, and of which nobody knows.

=================  =================================================================================================
state              means
=================  =================================================================================================
``new``            the run after shows it, the run before does not
``still there``    both show it
``gone``           every cell that showed it was run again, ended as predicted or as another issue says, and does not
                   show it
``not seen``       as gone, but it comes by chance and was seen in few cells: the next run may have it again
``not looked at``  not every cell that showed it was run again and came to such an end
=================  =================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from multifd.comparison.ranges import Ranges
from multifd.result.chance import ENOUGH, by_chance, shows_by_chance
from multifd.result.known import mended, shipped
from multifd.result.record import CONFORMING, SEVERITY_ORDER, Cell, Finding, Model, Results, Severity

State = Literal["new", "still there", "gone", "not seen", "not looked at"]
STATES: Final[tuple[State, ...]] = get_args(State)
"""In the order in which they are told."""


class FindingChange(Model):
    """One finding of either run."""

    id: str
    """Of the known issue."""
    state: State
    """What is known of it in the run after."""
    worse: bool
    """It is new in a cell that was looked at before, did not show it then, and shows it not by chance alone: it always
    comes, or not with the versions of that cell."""
    chance: bool
    """Timing or load decides whether a cell shows it."""
    component: str
    """The software that has it."""
    versions: str
    """Of which it is known."""
    severity: Severity
    """What it leads to."""
    cause: str
    """File and function where it comes from, and what happens."""
    remedy: str
    """What to set, or to do, instead."""
    fixed_in: str | None
    """The first version without it, None where there is none yet or none is known."""
    upstream: str | None
    """Where it was reported or mended."""
    cells: tuple[str, ...]
    """Ids of the cells that show it: in the run before, of a new one in the run after."""
    looked_at: int
    """How many of these the other run has judged."""
    shown: int
    """How many cells show it in the run after."""


def finding_changes(before: Results, after: Results) -> tuple[FindingChange, ...]:
    """Every finding of either run: what is new first, then what is still there, then the rest; worst first."""
    was, now = ({finding.id: finding for finding in run.findings} for run in (before, after))
    cells = [{cell.id: cell for cell in run.cells} for run in (before, after)]
    ranges = Ranges(before)
    found = (
        _new(now[name], cells[0], ranges) if name not in was else _before(was[name], now.get(name), cells[1])
        for name in dict.fromkeys((*now, *was))
    )
    return tuple(
        sorted(found, key=lambda each: (STATES.index(each.state), not each.worse, SEVERITY_ORDER.index(each.severity)))
    )


def shows(cell: Cell, issue: str) -> bool:
    """The cell has the finding, also where it fails for another one that no longer happens."""
    if mended(cell) in (None, issue):
        return issue in cell.issues
    known = next((each for each in shipped() if each.id == issue), None)
    return known is not None and any(map(known.says, cell.complaints))


def judged(cell: Cell | None) -> bool:
    """It came to an end of which somebody knows what it shows: as predicted, or without a known issue."""
    return cell is not None and (cell.verdict in CONFORMING or mended(cell) is not None)


def _new(finding: Finding, before: Mapping[str, Cell], ranges: Ranges) -> FindingChange:
    looked = [cell for name in finding.cells if (cell := before.get(name)) is not None and judged(cell)]
    chance = by_chance(finding.id) or all(map(shows_by_chance, looked))
    unlike = any(ranges.lack((finding.id,), cell) for cell in looked)
    return _change(finding, "new", len(looked), len(finding.cells), worse=unlike or not chance)


def _before(finding: Finding, after: Finding | None, cells: Mapping[str, Cell]) -> FindingChange:
    looked = [cells[name] for name in finding.cells if judged(cells.get(name))]
    shown = len(after.cells) if after is not None else sum(shows(cell, finding.id) for cell in looked)
    return _change(finding, _state(finding, len(looked), shown), len(looked), shown)


def _state(finding: Finding, looked_at: int, shown: int) -> State:
    if shown:
        return "still there"
    if looked_at < len(finding.cells) or not looked_at:
        return "not looked at"
    return "not seen" if by_chance(finding.id) and looked_at < ENOUGH else "gone"


def _change(finding: Finding, state: State, looked_at: int, shown: int, *, worse: bool = False) -> FindingChange:
    return FindingChange(
        id=finding.id,
        state=state,
        worse=worse,
        chance=by_chance(finding.id),
        component=finding.component,
        versions=finding.versions,
        severity=finding.severity,
        cause=finding.cause,
        remedy=finding.remedy,
        fixed_in=finding.fixed_in,
        upstream=finding.upstream,
        cells=finding.cells,
        looked_at=looked_at,
        shown=shown,
    )
