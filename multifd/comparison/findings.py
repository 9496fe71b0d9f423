"""Findings of two runs: which are gone, which were only not looked for, which are new.

A finding is gone if cells that showed it were looked at again and do not show it. If none of them was, nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from multifd.comparison.standing import checked
from multifd.result.record import SEVERITY_ORDER, Finding, Model, Results, Severity


class FindingChange(Model):
    """One finding that only one of both runs has."""

    id: str
    """Of the known issue."""
    state: Literal["new", "gone", "not looked for"]
    """Of the run after; not looked for is what none of its cells could show there."""
    worse: bool
    """It is new in a cell that was looked at before, and did not show it then."""
    component: str
    """The software that has it."""
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
    """Ids of the cells that show it, in the run that has it."""
    looked_at: int
    """How many of these the other run has checked."""


def finding_changes(before: Results, after: Results) -> tuple[FindingChange, ...]:
    """New ones first, then those that are gone, then the rest; worst first."""
    order = ("new", "gone", "not looked for")
    both = (*_only(after, before, new=True), *_only(before, after, new=False))
    return tuple(
        sorted(both, key=lambda each: (order.index(each.state), not each.worse, SEVERITY_ORDER.index(each.severity)))
    )


def _only(run: Results, other: Results, *, new: bool) -> Iterator[FindingChange]:
    """What one run has and the other has not."""
    there = {finding.id for finding in other.findings}
    cells = {cell.id: cell for cell in other.cells}
    for finding in run.findings:
        if finding.id not in there:
            looked_at = sum(checked(cells.get(name)) for name in finding.cells)
            yield _change(finding, "new" if new else "gone" if looked_at else "not looked for", looked_at)


def _change(finding: Finding, state: Literal["new", "gone", "not looked for"], looked_at: int) -> FindingChange:
    return FindingChange(
        id=finding.id,
        state=state,
        worse=state == "new" and looked_at > 0,
        component=finding.component,
        severity=finding.severity,
        cause=finding.cause,
        remedy=finding.remedy,
        fixed_in=finding.fixed_in,
        upstream=finding.upstream,
        cells=finding.cells,
        looked_at=looked_at,
    )
