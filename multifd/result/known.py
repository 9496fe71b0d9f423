"""Known issues: what is wrong in software that is not ours, matched by cell *and* by message.

They live in ``known_issues/`` beside this module, a file per component. A hazard must be listed here with its cause.
A cell that fails as its issue says is ``known``; a known issue that no longer happens fails the run.

Where a cell looks at many things, each of its complaints is matched by itself. Such a cell is known if every complaint
is explained by an issue, and every issue that covers the cell explains a complaint: nothing hides behind a neighbour.

An issue speaks of a range of versions (:mod:`multifd.result.versions`). Outside it it explains nothing and is not
expected, and a failure that it would have explained says so; a version that nobody knows counts as inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from multifd.errors import HarnessError, InputError
from multifd.result import versions
from multifd.result.record import Cell, Finding, Kind, Model, Severity
from multifd.result.versions import NOBODY_KNOWS, Releases
from multifd.yaml import parse

DIRECTORY: Final = Path(__file__).with_name("known_issues")
ROOT: Final = Path(__file__).resolve().parents[2]
"""Where the paths of reproducers begin."""
_GONE: Final = "known issue {} no longer happens: take it out of the list"
_IS_GONE: Final = re.compile(re.escape(_GONE).replace(r"\{\}", "(.+)"))


class KnownIssue(Model):
    """One issue and the cells that show it."""

    id: str
    component: str
    versions: str
    """Of which it speaks, as :mod:`multifd.result.versions` reads it."""
    severity: Severity
    cause: str
    """File and function where it comes from, and what happens."""
    remedy: Annotated[str, Field(min_length=1)]
    """The setting or the action that avoids it, for whoever runs the fleet."""
    instead: dict[str, str] = Field(default_factory=dict)
    """The same as settings, where some do."""
    setting: dict[str, str] = Field(default_factory=dict)
    """What it needs besides defaults: regular expressions for the values, by name."""
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

    @field_validator("versions")
    @classmethod
    def _read(cls, text: str) -> str:
        versions.clauses(text)
        return text

    def concerns(self, releases: Releases) -> bool:
        """The issue speaks of what the ends run, as far as anybody knows."""
        return versions.meets(self.versions, releases)

    def covers(self, cell: Cell) -> bool:
        """The issue speaks of this cell, whatever happened in it."""
        return all(
            re.fullmatch(getattr(self, field), getattr(cell, field))
            for field in ("suite", "sender", "receiver", "framing", "dialect", "scenario", "predicted")
        ) and self._needs(cell)

    def _needs(self, cell: Cell) -> bool:
        set_there = {each.name: each.value for each in cell.setting}
        return all(re.fullmatch(value, set_there.get(name, "")) for name, value in self.setting.items())

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

    Raises :class:`HarnessError` if there are none, a file is not as YAML has it, an entry is no issue, or a reproducer
    is missing.
    """
    files = sorted(directory.glob("*.yaml"))
    if not files:
        raise HarnessError(f"{directory}: holds no known issues (*.yaml)")
    issues = tuple(issue for file in files for issue in _issues(file))
    for issue in issues:
        if issue.reproducer is not None and not (ROOT / issue.reproducer).is_file():
            raise HarnessError(f"{directory}: {issue.id}: there is no reproducer {ROOT / issue.reproducer}")
    return issues


def _issues(file: Path) -> Iterator[KnownIssue]:
    try:
        entries: Any = parse(file.read_bytes())
        if not isinstance(entries, list):
            raise HarnessError(f"{file}: is {type(entries).__name__}, expected a list of known issues")
        for number, entry in enumerate(entries):
            name = entry.get("id", number) if isinstance(entry, dict) else number
            yield KnownIssue.model_validate(entry)
    except InputError as problem:
        raise HarnessError(f"{file}: {problem}") from None
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise HarnessError(f"{file}: {name}: {field}: {first['msg'].removeprefix('Value error, ')}") from None


def settle(cell: Cell, issues: Iterable[KnownIssue], releases: Releases = NOBODY_KNOWS) -> Cell:
    """The cell's final verdict in the light of the known issues, and the ids of those that explain it.

    ``releases`` are what its ends run, as far as it is known.
    """
    covering = [issue for issue in issues if issue.covers(cell)]
    within = [issue for issue in covering if issue.concerns(releases)]
    settled = _settled(cell, within)
    if settled.verdict == "known":
        return _unsure(settled, within, releases)
    return _beyond(settled, [issue for issue in covering if issue not in within], releases)


def _unsure(cell: Cell, issues: Sequence[KnownIssue], releases: Releases) -> Cell:
    """Say which issues explain it although nobody knows whether they speak of this version."""
    unknown = (
        f"{issue.id} is of {issue.versions}; the version of {product} is not known"
        for issue in issues
        if issue.id in cell.issues
        for product in versions.unknown(issue.versions, releases)
    )
    return cell.otherwise("\n".join([cell.reason, *unknown]))


def _beyond(cell: Cell, others: Sequence[KnownIssue], releases: Releases) -> Cell:
    """Say which issues would explain a failure if they spoke of this version."""
    found = cell.complaints or (f"{cell.error or ''}\n{cell.reason}",)
    near = next((issue for issue in others if cell.verdict == "fail" and any(map(issue.says, found))), None)
    if near is None:
        return cell
    here = versions.said(near.versions, releases)
    return cell.otherwise(f"{cell.reason}\nknown issue {near.id} says the like of {near.versions}; this is {here}")


def _settled(cell: Cell, issues: Sequence[KnownIssue]) -> Cell:
    """The verdict by these issues, which all speak of the cell."""
    if cell.verdict == "hazard":
        return _hazard(cell, [issue for issue in issues if issue.verdict == "hazard" and issue.explains(cell)])
    covering = [issue for issue in issues if issue.verdict == "known"]
    lasting = [issue for issue in covering if issue.always]
    if cell.verdict in ("pass", "refused") and lasting:
        return _gone(cell, lasting[0])
    if cell.verdict != "fail" or not covering:
        return cell
    if cell.complaints:
        return _listed(cell, covering)
    # Who tells of a hang or a crash says nothing of wrong memory, nor of a guest that is nowhere.
    telling = [issue for issue in covering if cell.kind != "corrupt" or issue.severity == "corruption"]
    return next((_known(cell, [issue]) for issue in telling if issue.explains(cell)), cell)


def _hazard(cell: Cell, shown: Sequence[KnownIssue]) -> Cell:
    if not shown:
        return _failed(cell, "corrupt", f"a hazard that no known issue lists: {cell.reason}")
    return cell.model_copy(update={"issues": tuple(issue.id for issue in shown)})


def _listed(cell: Cell, covering: Sequence[KnownIssue]) -> Cell:
    """A cell with a list of complaints."""
    for complaint in cell.complaints:
        if not any(issue.says(complaint) for issue in covering):
            return cell.otherwise(f"no known issue lists this: {complaint}")
    shown = [issue for issue in covering if any(map(issue.says, cell.complaints))]
    for issue in covering:
        if issue.always and issue not in shown:
            return _gone(cell, issue)
    return _known(cell, shown)


def _known(cell: Cell, shown: Sequence[KnownIssue]) -> Cell:
    reasons = [f"{issue.id}: {issue.cause}" for issue in shown]
    if cell.reason not in (cell.error, *cell.complaints):
        reasons.append(cell.reason)  # what disagreed, where nothing else says it
    return cell.otherwise("\n".join(reasons), verdict="known", issues=tuple(issue.id for issue in shown))


def _gone(cell: Cell, issue: KnownIssue) -> Cell:
    return _failed(cell, "wrong-error", _GONE.format(issue.id))


def mended(cell: Cell) -> str | None:
    """The id of the known issue for whose absence a cell fails; None for any other cell."""
    found = _IS_GONE.fullmatch(cell.reason) if cell.verdict == "fail" else None
    return found[1] if found is not None else None


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
            setting=tuple(dict.fromkeys(setting for cell in shown[issue.id] for setting in cell.setting)),
            instead=issue.instead,
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
    return cell.otherwise(reason, verdict="fail", kind=kind)
