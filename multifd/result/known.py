"""Known issues: what is wrong in software that is not ours, matched by cell *and* by message.

They live in ``known_issues/`` beside this module, a file per component. A hazard must be listed here with its cause.
A cell that fails as its issue says is ``known``; a known issue that no longer happens fails the run.

An error may be a list of complaints, an :data:`ITEM` before each. Such a cell is known if every complaint is explained
by an issue, and every issue that covers the cell explains a complaint: nothing hides behind a neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal

import yaml

from multifd.result.record import Cell, Finding, Model, Severity

ITEM: Final = "\n- "
"""Stands before each complaint in an error that lists several."""


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
    predicted: str = ".*"
    """What the oracle must have said: a hang where a refusal was due says nothing of one where memory should arrive."""
    message: str
    """Regular expression found in the cell's error or reason."""
    always: bool = True
    """Every cell that it covers shows it; False where the content of the pages decides, which differs from host to
    host: then a cell without it is no news."""
    reproduce: str | None = None
    """A command; None means that of the first cell."""

    def covers(self, cell: Cell) -> bool:
        """The issue speaks of this cell, whatever happened in it."""
        return all(
            re.fullmatch(getattr(self, field), getattr(cell, field))
            for field in ("suite", "sender", "receiver", "framing", "dialect", "scenario", "predicted")
        )

    def explains(self, cell: Cell) -> bool:
        """The issue speaks of this cell, and its message is the one found."""
        return self.covers(cell) and self.says(f"{cell.error or ''}\n{cell.reason}")

    def says(self, text: str) -> bool:
        """The message is in the text."""
        return bool(re.search(self.message, text))


@cache
def shipped() -> tuple[KnownIssue, ...]:
    """The known issues of this project."""
    files = sorted(Path(__file__).with_name("known_issues").glob("*.yaml"))
    entries = (entry for file in files for entry in yaml.safe_load(file.read_text(encoding="utf-8")))
    return tuple(KnownIssue.model_validate(entry) for entry in entries)


def settle(cell: Cell, issues: Iterable[KnownIssue]) -> Cell:
    """The cell's final verdict in the light of the known issues."""
    issues = tuple(issues)
    if cell.verdict == "hazard":
        if any(issue.verdict == "hazard" and issue.explains(cell) for issue in issues):
            return cell
        return _failed(cell, "corrupt", f"a hazard that no known issue lists: {cell.reason}")
    covering = [issue for issue in issues if issue.verdict == "known" and issue.covers(cell)]
    lasting = [issue for issue in covering if issue.always]
    if cell.verdict in ("pass", "refused") and lasting:
        return _gone(cell, lasting[0])
    if cell.verdict != "fail" or not covering:
        return cell
    if ITEM in (cell.error or ""):
        return _listed(cell, covering)
    return next((_known(cell, [issue]) for issue in covering if issue.explains(cell)), cell)


def _listed(cell: Cell, covering: Sequence[KnownIssue]) -> Cell:
    """A cell with a list of complaints."""
    complaints = (cell.error or "").split(ITEM)[1:]
    for complaint in complaints:
        if not any(issue.says(complaint) for issue in covering):
            return cell.model_copy(update={"reason": f"no known issue lists this: {complaint}"})
    shown = [issue for issue in covering if any(map(issue.says, complaints))]
    for issue in covering:
        if issue.always and issue not in shown:
            return _gone(cell, issue)
    return _known(cell, shown)


def _known(cell: Cell, shown: Sequence[KnownIssue]) -> Cell:
    reason = "\n".join(f"{issue.id}: {issue.cause}" for issue in shown)
    return cell.model_copy(update={"verdict": "known", "reason": reason})


def _gone(cell: Cell, issue: KnownIssue) -> Cell:
    return _failed(cell, "wrong-error", f"known issue {issue.id} no longer happens: take it out of the list")


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
    if issue.verdict == "hazard":
        return issue.explains(cell)
    return any(line.startswith(f"{issue.id}: ") for line in cell.reason.splitlines())


def _failed(cell: Cell, kind: str, reason: str) -> Cell:
    return cell.model_copy(update={"verdict": "fail", "kind": kind, "reason": reason})
