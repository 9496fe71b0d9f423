"""Whether a finding is gone between two runs, in plain sentences: what whoever has mended it wants to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from multifd.comparison.cells import standing
from multifd.comparison.compared import Comparison, Side
from multifd.comparison.findings import FindingChange, State, judged
from multifd.result.chance import ENOUGH, USUAL, repeating
from multifd.result.counted import counted
from multifd.result.known import KnownIssue, mended
from multifd.result.record import Cell, Results

ANSWERS: Final[dict[State, str]] = {
    "new": "new",
    "still there": "still there",
    "gone": "gone",
    "not seen": "nobody knows",
    "not looked at": "nobody knows",
}


def sentences(found: FindingChange, runs: Comparison, after: Results) -> Iterator[str]:
    """The answer first, then what it rests on, then what to do where something is left to do."""
    yield from brief(found, runs, after)
    yield f"  {versions(runs)}"
    yield from (f"  {line}" for line in _next(found, after))


def brief(found: FindingChange, runs: Comparison, after: Results) -> Iterator[str]:
    """The answer, and what it rests on."""
    yield f"{ANSWERS[found.state]}: {found.id} ({found.severity}, {found.component})"
    yield f"  {_why(found, runs, after)}"


def versions(runs: Comparison) -> str:
    """What the findings of either run may be of; within one run, of the peers that are held against each other."""
    if _alone(runs):
        return f"before: {', '.join(runs.names)}; after: {', '.join(runs.names.values())}"
    return f"before: {_ran(runs.before)}; after: {_ran(runs.after)}"


def summary(states: Iterable[State]) -> str:
    """Of many findings how many came to which answer."""
    answers = Counter(ANSWERS[state] for state in states)
    return f"{counted(answers.total(), 'finding')}: {', '.join(f'{n:,} {answer}' for answer, n in answers.items())}"


def in_neither(issue: KnownIssue) -> Iterator[str]:
    """Of a known issue that no run of the two shows."""
    yield f"nobody knows: {issue.id} ({issue.severity}, {issue.component})"
    yield f"  neither run shows it, so that nothing can be gone; it is of {issue.versions}"


def none_in(library: str, issues: Collection[KnownIssue]) -> str:
    """Of a library in which no run of the two shows anything."""
    number = counted(len(issues), "known issue")
    return f"nobody knows: neither run shows a finding in {library}, so that nothing can be gone; it has {number}"


def _why(found: FindingChange, runs: Comparison, after: Results) -> str:
    cells = counted(len(found.cells))
    now = f"with {', '.join(runs.names.values())}" if _alone(runs) else "of the run after"
    judged_again = f"{found.looked_at:,} of {cells} that showed it"
    match found.state:
        case "new":
            by = "; it comes by chance"
            chance = (
                f"{by}, but not to the version before" if found.worse and found.chance else by if found.chance else ""
            )
            return f"{cells} {now}; before, {found.looked_at:,} of them did not show it{chance}"
        case "still there":
            return f"{counted(found.shown)} {now}, {len(found.cells):,} before"
        case "gone":
            chance = f"; it comes by chance, and {ENOUGH} that miss it all are no chance" if found.chance else ""
            again = f"has its like {now}, and that" if _alone(runs) else "was run again,"
            return f"each of {cells} that showed it {again} {_ended(found, after)}{chance}"
        case "not seen":
            return f"{judged_again} did not show it again, but it comes by chance: fewer than {ENOUGH} say nothing"
        case "not looked at":
            return f"only {judged_again} came to an end that says something"


def _ended(found: FindingChange, after: Results) -> str:
    """How the cells that do not show it any more ended: as they should, or with something else."""
    there = {cell.id: cell for cell in after.cells}
    cells = [there[name] for name in found.cells]
    ends = Counter(_otherwise(cell, found.id) for cell in cells if cell.verdict not in ("pass", "refused"))
    if not ends:
        return "ended as it should, and does not show it"
    few = f"{ends.total():,} of them end" if ends.total() < len(cells) else "ends" if len(cells) == 1 else "they end"
    one = len(ends) == 1
    said = "; ".join(end if one else f"{counted(number)} {end}" for end, number in ends.items())
    return f"does not show it any more, but {few} with something else: {said}"


def _otherwise(cell: Cell, issue: str) -> str:
    """Its verdict, and the issues behind it."""
    absent = mended(cell)
    if absent is not None:
        return f"{standing(cell)}, for {'it' if absent == issue else absent} no longer happens"
    return ", ".join((str(standing(cell)), *cell.issues))


def _alone(runs: Comparison) -> bool:
    """Peers of one run are held against each other."""
    return runs.rule is not None and runs.before == runs.after


def _ran(side: Side) -> str:
    return ", ".join((*side.libraries, *side.qemus)) or "neither QEMU nor a vendor library"


def _next(found: FindingChange, after: Results) -> Iterator[str]:
    there = {cell.id: cell for cell in after.cells}
    if found.state == "gone":
        for name in found.cells:
            if mended(there[name]) == found.id:
                yield f"{name} fails until {found.id} is taken out of the known issues, or its versions are bounded"
    if found.state == "not seen":
        first = there[found.cells[0]]
        yield f"next: {repeating(first, USUAL)}"
    if found.state == "not looked at":
        for name in found.cells:
            cell = there.get(name)
            if cell is None:
                yield f"{name}: not planned in the run after"
            elif not judged(cell):
                yield f"{name}: {cell.verdict}: {' '.join(cell.reason.split())}"
        yield "next: run these cells again with what is to be tried, and compare with that run"
    yield from (f"cell: {name}" for name in found.cells if found.state in ("new", "still there"))
