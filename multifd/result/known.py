"""Known issues: what is wrong in software that is not ours, matched by cell *and* by message.

They live in ``known_issues.yaml`` beside this module. A hazard must be listed here with its cause. A cell that
fails as its issue says is ``known``; a known issue that no longer happens fails the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from multifd.result.record import Cell, Finding, Model, Severity


class KnownIssue(Model):
    """One issue and the cells that show it."""

    id: str
    component: str
    versions: str
    severity: Severity
    cause: str
    """File and function where it comes from, and what happens."""
    verdict: Literal["hazard", "known"]
    suite: str = ".*"
    sender: str = ".*"
    receiver: str = ".*"
    framing: str = ".*"
    dialect: str = ".*"
    scenario: str = ".*"
    message: str
    """Regular expression found in the cell's error or reason."""
    reproduce: str | None = None
    """A command; None means that of the first cell."""

    def covers(self, cell: Cell) -> bool:
        """The issue speaks of this cell, whatever happened in it."""
        return all(
            re.fullmatch(getattr(self, field), getattr(cell, field))
            for field in ("suite", "sender", "receiver", "framing", "dialect", "scenario")
        )

    def explains(self, cell: Cell) -> bool:
        """The issue speaks of this cell, and its message is the one found."""
        return self.covers(cell) and bool(re.search(self.message, f"{cell.error or ''}\n{cell.reason}"))


@cache
def shipped() -> tuple[KnownIssue, ...]:
    """The known issues of this project."""
    content = yaml.safe_load(Path(__file__).with_name("known_issues.yaml").read_text(encoding="utf-8"))
    return tuple(KnownIssue.model_validate(entry) for entry in content)


def settle(cell: Cell, issues: Iterable[KnownIssue]) -> Cell:
    """The cell's final verdict in the light of the known issues."""
    issues = tuple(issues)
    if cell.verdict == "hazard":
        if any(issue.verdict == "hazard" and issue.explains(cell) for issue in issues):
            return cell
        return _failed(cell, "corrupt", f"a hazard that no known issue lists: {cell.reason}")
    for issue in issues:
        if issue.verdict != "known" or not issue.covers(cell):
            continue
        if cell.verdict == "fail" and issue.explains(cell):
            return cell.model_copy(update={"verdict": "known", "reason": f"{issue.id}: {issue.cause}"})
        if cell.verdict in ("pass", "refused"):
            return _failed(cell, "wrong-error", f"known issue {issue.id} no longer happens: take it out of the list")
    return cell


def findings(cells: Iterable[Cell], issues: Iterable[KnownIssue]) -> tuple[Finding, ...]:
    """The issues that this run's cells show."""
    cells = tuple(cells)
    found = []
    for issue in issues:
        shown = tuple(cell for cell in cells if _shows(cell, issue))
        if shown:
            found.append(
                Finding(
                    id=issue.id,
                    component=issue.component,
                    versions=issue.versions,
                    severity=issue.severity,
                    cause=issue.cause,
                    cells=tuple(cell.id for cell in shown),
                    reproduce=issue.reproduce or shown[0].reproduce,
                )
            )
    return tuple(found)


def _shows(cell: Cell, issue: KnownIssue) -> bool:
    if cell.verdict != issue.verdict:
        return False
    return issue.explains(cell) if issue.verdict == "hazard" else cell.reason.startswith(f"{issue.id}: ")


def _failed(cell: Cell, kind: str, reason: str) -> Cell:
    return cell.model_copy(update={"verdict": "fail", "kind": kind, "reason": reason})
