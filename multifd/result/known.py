"""Known issues: what is wrong in software that is not ours, matched by cell *and* by message.

They live in ``known_issues/`` beside this module, a file per component. A hazard must be listed here with its cause.
A cell that fails as its issue says is ``known``; a known issue that no longer happens fails the run.

Where a cell looks at many things, each of its complaints is matched by itself. Such a cell is known if every complaint
is explained by an issue, and every issue that covers the cell explains a complaint: nothing hides behind a neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from multifd.errors import HarnessError, InputError
from multifd.result.record import Cell, Finding, Kind, Model, Severity
from multifd.yaml import parse

DIRECTORY: Final = Path(__file__).with_name("known_issues")
ROOT: Final = Path(__file__).resolve().parents[2]
"""Where the paths of reproducers begin."""


class KnownIssue(Model):
    """One issue and the cells that show it."""

    id: str
    component: str
    versions: str
    severity: Severity
    cause: str
    """File and function where it comes from, and what happens."""
    remedy: Annotated[str, Field(min_length=1)]
    """The setting or the action that avoids it, for whoever runs the fleet."""
    upstream: str | None
    """Where it was reported or mended; None where that is not known."""
    fixed_in: str | None
    """The first version without it; None where there is none yet or none is known."""
    reproducer: str | None
    """Path in this project of a program that shows it alone."""
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
    """Regular expression found in one of the cell's complaints, or in its error or reason where it has none."""
    always: bool = True
    """Every cell that it covers shows it; False where timing, load or a release of the library decides: then a cell
    without it is no news."""
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
    return read(DIRECTORY)


def read(directory: Path) -> tuple[KnownIssue, ...]:
    """All known issues in a directory.

    Raises :class:`HarnessError` if there are none, a file is not as YAML has it, or a reproducer is missing.
    """
    files = sorted(directory.glob("*.yaml"))
    if not files:
        raise HarnessError(f"{directory}: holds no known issues (*.yaml)")
    issues = tuple(KnownIssue.model_validate(entry) for file in files for entry in _entries(file))
    for issue in issues:
        if issue.reproducer is not None and not (ROOT / issue.reproducer).is_file():
            raise HarnessError(f"{directory}: {issue.id}: there is no reproducer {ROOT / issue.reproducer}")
    return issues


def _entries(file: Path) -> Any:
    try:
        return parse(file.read_bytes())
    except InputError as problem:
        raise HarnessError(f"{file}: {problem}") from None


def settle(cell: Cell, issues: Iterable[KnownIssue]) -> Cell:
    """The cell's final verdict in the light of the known issues, and the ids of those that explain it."""
    issues = tuple(issues)
    if cell.verdict == "hazard":
        return _hazard(cell, [issue for issue in issues if issue.verdict == "hazard" and issue.explains(cell)])
    covering = [issue for issue in issues if issue.verdict == "known" and issue.covers(cell)]
    lasting = [issue for issue in covering if issue.always]
    if cell.verdict in ("pass", "refused") and lasting:
        return _gone(cell, lasting[0])
    if cell.verdict != "fail" or not covering:
        return cell
    if cell.complaints:
        return _listed(cell, covering)
    return next((_known(cell, [issue]) for issue in covering if issue.explains(cell)), cell)


def _hazard(cell: Cell, shown: Sequence[KnownIssue]) -> Cell:
    if not shown:
        return _failed(cell, "corrupt", f"a hazard that no known issue lists: {cell.reason}")
    return cell.model_copy(update={"issues": tuple(issue.id for issue in shown)})


def _listed(cell: Cell, covering: Sequence[KnownIssue]) -> Cell:
    """A cell with a list of complaints."""
    for complaint in cell.complaints:
        if not any(issue.says(complaint) for issue in covering):
            return cell.model_copy(update={"reason": f"no known issue lists this: {complaint}"})
    shown = [issue for issue in covering if any(map(issue.says, cell.complaints))]
    for issue in covering:
        if issue.always and issue not in shown:
            return _gone(cell, issue)
    return _known(cell, shown)


def _known(cell: Cell, shown: Sequence[KnownIssue]) -> Cell:
    reason = "\n".join(f"{issue.id}: {issue.cause}" for issue in shown)
    return cell.model_copy(update={"verdict": "known", "reason": reason, "issues": tuple(issue.id for issue in shown)})


def _gone(cell: Cell, issue: KnownIssue) -> Cell:
    return _failed(cell, "wrong-error", f"known issue {issue.id} no longer happens: take it out of the list")


def findings(cells: Iterable[Cell], issues: Iterable[KnownIssue]) -> tuple[Finding, ...]:
    """The issues that this run's cells show, by the ids that :func:`settle` has left in them."""
    shown: dict[str, list[Cell]] = {}
    for cell in cells:
        for name in cell.issues:
            shown.setdefault(name, []).append(cell)
    return tuple(
        Finding(
            id=issue.id,
            component=issue.component,
            versions=issue.versions,
            severity=issue.severity,
            cause=issue.cause,
            remedy=issue.remedy,
            upstream=issue.upstream,
            fixed_in=issue.fixed_in,
            reproducer=issue.reproducer,
            cells=tuple(cell.id for cell in shown[issue.id]),
            reproduce=issue.reproduce or shown[issue.id][0].reproduce,
        )
        for issue in issues
        if issue.id in shown
    )


def _failed(cell: Cell, kind: Kind, reason: str) -> Cell:
    return cell.model_copy(update={"verdict": "fail", "kind": kind, "reason": reason})
