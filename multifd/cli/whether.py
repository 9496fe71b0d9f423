"""Of ``multifd diff --finding`` and ``--library``: whether findings are gone from one run to another."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from multifd.cli.output import Console
from multifd.cli.picked import picked
from multifd.comparison.compared import Comparison
from multifd.comparison.findings import FindingChange, State
from multifd.errors import InputError
from multifd.nearest import suggestion
from multifd.result.known import KnownIssue, shipped
from multifd.result.record import Results
from reports.difference import incomplete
from reports.gone import brief, in_neither, none_in, sentences, summary, versions

CODES: Final[dict[State, int]] = {"gone": 0, "new": 1, "still there": 1, "not seen": 3, "not looked at": 3}
NOBODY_KNOWS: Final = 3
_STYLES: Final[dict[State, str]] = {"gone": "green", "new": "red", "still there": "red"}
_WORST: Final = (1, NOBODY_KNOWS, 0)
"""Of several findings the first of these that any of them comes to."""
_SOFTWARE: Final = re.compile(r"QEMU|\blib\w+")
Asked = FindingChange | KnownIssue


def asked(found: Comparison, after: Results, finding: str | None, library: str | None, *, as_json: bool) -> int:
    """Say it of each that is asked for, and return the exit code; raises :class:`InputError` where there is none."""
    chosen = _chosen(found, finding, library)
    console = Console()
    if not as_json:
        for line in incomplete(found):
            console.print(line, style="red", soft_wrap=True, markup=False)
    issues = [each for each in chosen if isinstance(each, KnownIssue)]
    if finding is None and library is not None and len(issues) == len(chosen) and not as_json:
        console.print(f"{none_in(library, issues)}\n  {versions(found)}", soft_wrap=True, markup=False)
        return NOBODY_KNOWS
    for each in chosen:
        if as_json:
            print(each.model_dump_json())
        elif len(chosen) == 1:
            _say(console, each, sentences(each, found, after) if isinstance(each, FindingChange) else in_neither(each))
        else:
            _say(console, each, brief(each, found, after) if isinstance(each, FindingChange) else in_neither(each))
    if len(chosen) > 1 and not as_json:
        states = [each.state for each in chosen if isinstance(each, FindingChange)]
        console.print(f"{versions(found)}\n{summary(states)}", soft_wrap=True, markup=False)
    codes = {CODES[each.state] if isinstance(each, FindingChange) else NOBODY_KNOWS for each in chosen}
    return next(code for code in _WORST if code in codes)


def _say(console: Console, each: Asked, lines: Iterable[str]) -> None:
    """Its first line has the answer, and its colour."""
    style = _STYLES.get(each.state) if isinstance(each, FindingChange) else None
    for line in lines:
        console.print(line, style=style, soft_wrap=True, markup=False)
        style = None


def _chosen(found: Comparison, finding: str | None, library: str | None) -> list[Asked]:
    for option, given in (("--finding", finding), ("--library", library)):
        if given == "":
            raise InputError(f"{option} '': expected a name, or a part of one; without {option} all is compared")
    there: dict[str, Asked] = {each.id: each for each in found.findings}
    known: dict[str, Asked] = {each.id: each for each in shipped()}
    if finding is None:
        return list(there.values()) if library is None else _of(there, known, library)
    fitting = _fitting(finding, there, known)
    if library is None:
        return fitting
    inside = [each for each in fitting if _is_of(each, library)]
    if not inside:
        first = fitting[0]
        raise InputError(f"--finding {finding!r}: {first.id} is of {first.component}, expected one of {library!r}")
    return inside


def _of(there: Mapping[str, Asked], known: Mapping[str, Asked], library: str) -> list[Asked]:
    """The findings of this software, else its known issues; raises :class:`InputError` where it has none of either."""
    for some in (there, known):
        if of := [each for each in some.values() if _is_of(each, library)]:
            return of
    every = (*there.values(), *known.values())
    names = sorted({name for each in every for name in _SOFTWARE.findall(each.component)})
    raise InputError(f"--library {library!r}: nobody knows an issue in it; {suggestion(library, names)}")


def _is_of(each: Asked, library: str) -> bool:
    return library.casefold() in each.component.casefold()


def _fitting(finding: str, there: Mapping[str, Asked], known: Mapping[str, Asked]) -> list[Asked]:
    if finding in known and finding not in there:
        return [known[finding]]
    every = {**known, **there}
    return [every[name] for name in picked(finding, there if _fits(finding, there) else every, "finding")]


def _fits(finding: str, there: Collection[str]) -> bool:
    try:
        return bool(picked(finding, there, "finding"))
    except InputError:
        return False
