"""A finding as a report to those whose software it is in, in Markdown: what, versions, steps, expected, observed.

It is complete by itself: who reads it need not know this project, and has the reproducer before him.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from multifd.result.chance import by_chance, repeating, repetitions
from multifd.result.counted import counted
from multifd.result.known import ROOT, KnownIssue, shipped
from multifd.result.record import CONFORMING, Cell, Finding, Outcome, Peer, Results, Severity
from reports import templating
from reports.fixed import fixed, ran
from reports.told import common, elsewhere, told
from reports.upstream import address
from reports.vocabulary import prediction

SHOWN: Final = 3
"""Cells whose observations are shown."""
COMPLAINTS: Final = 10
"""Observations of one cell that are shown."""
_QEMU: Final = "--qemu"
_JUDGED: Final = CONFORMING | {"fail"}
_ELSEWHERE: Final = "PATH-OF-{}"
"""A QEMU as others name theirs."""
_LIBRARY: Final = ("vendor", "fidelity")
"""Suites without a wire."""

SEVERITIES: Final[dict[Severity, str]] = {
    "corruption": "data is wrong, and nobody says so",
    "crash": "a process dies, or memory is read or written that is not its own",
    "hang": "something waits for ever",
    "leak": "memory, threads or keys are not given back",
    "contract": "the interface does not do what it promises",
}
EXPECTED: Final[dict[Outcome, str]] = {
    "identical": "The migration completes, and the destination's memory is identical to the source's.",
    "rejected": "The destination refuses the migration with an error, and both ends say so and end.",
    "hazard": "The destination refuses what it cannot decode, with an error; it takes no wrong memory for right.",
}
OBSERVED: Final = {
    "identical": "nothing was said to be wrong",
    "rejected": "refused",
    "hazard": "wrong, and nobody said so",
    "crash": "a crash",
    "hang": "a hang",
}
_NOT_KEPT: Final = "every byte is right, and the interface does not do what it promises"
_OF_LIBRARY: Final = "The library does what its interface promises; below stands what was expected of each call."


def render(
    results: Results, finding: Finding, directory: Path, scenarios: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The report as one Markdown document; the run's cells of the finding are its evidence, and what QEMUs said there.

    ``directory`` has the run's artifacts; what of them cannot be read is left out. ``scenarios`` says what their names
    stand for.
    """
    cells = shown_by(results, finding)
    ends = dict.fromkeys(name for cell in cells for name in (cell.sender, cell.receiver))
    first = cells[0] if cells else None
    qemus = [peer.name for peer in results.peers if peer.kind == "qemu" and first and peer.name in _ends(first)]
    seen = often(results, finding)
    started = list(told(first, directory)) if first is not None else []
    return _ENVIRONMENT.get_template("finding.md.j2").render(
        finding=finding,
        address=address(finding.upstream) if finding.upstream else None,
        severity=SEVERITIES[finding.severity],
        source=_source(finding),
        fixed=fixed(results, finding, cells),
        ran=ran(results, finding, cells),
        reproduce=_elsewhere(_reproduce(finding, cells), qemus),
        often=seen[0] if seen else None,
        repeated=_elsewhere(seen[1], qemus) if seen else None,
        started=started,
        machine=common(each.machine for each in started) or common(_machines(results, qemus)),
        memory=common(each.memory for each in started),
        between=_between(results, first) if first is not None else None,
        scenarios={cell.scenario: scenarios.get(cell.scenario) for cell in cells[:SHOWN]},
        cells=cells[:SHOWN],
        more=len(cells[SHOWN:]),
        observed={cell.id: list(map(elsewhere, observations(cell, finding))) for cell in cells[:SHOWN]},
        expected=tuple(dict.fromkeys(map(_expected, cells[:SHOWN]))),
        peers=[peer for peer in results.peers if peer.name in ends],
        run=results.run,
    )


def shown_by(results: Results, finding: Finding) -> tuple[Cell, ...]:
    """The cells that show it, first those without a peer of ours, then those that show nothing else, and say least."""
    cells = [cell for cell in results.cells if cell.id in set(finding.cells)]
    ours = {peer.name for peer in results.peers if peer.kind == "codec"}
    return tuple(
        sorted(cells, key=lambda cell: (bool(_ends(cell) & ours), len(cell.issues), len(cell.complaints)))
    )  # fmt: skip


def observations(cell: Cell, finding: Finding) -> tuple[str, ...]:
    """What was seen of it in a cell: of many complaints those that are its own."""
    issue: KnownIssue | None = next((each for each in shipped() if each.id == finding.id), None)
    own = tuple(text for text in cell.complaints if issue is None or issue.says(text))
    seen = own or tuple(text for text in (cell.error, cell.aftermath) if text)
    return seen[:COMPLAINTS] or (f"{cell.observed}: {cell.kind or cell.reason}",)


def tried(cell: Cell) -> str:
    """What a cell is about, in words of the field."""
    if cell.suite in _LIBRARY:
        return f"{cell.sender}, {cell.scenario}"
    return (
        f"{cell.sender} to {cell.receiver}, {cell.framing} in {cell.dialect}, {cell.scenario}, content {cell.corpus},"
        f" pages of {cell.page_size} bytes, {counted(cell.channels, 'channel')}"
    )


def version(peer: Peer) -> str:
    """A peer as those who know nothing of this project read it."""
    return f"{peer.name} {peer.version}, {peer.provenance}"


def _reproduce(finding: Finding, cells: Sequence[Cell]) -> str:
    """That of the first cell shown, unless the known issue has one of its own."""
    return cells[0].reproduce if finding.reproduce in {cell.reproduce for cell in cells} else finding.reproduce


def _ends(cell: Cell) -> set[str]:
    return {cell.sender, cell.receiver}


def _between(results: Results, cell: Cell) -> str:
    """What stood between the two QEMUs of a cell, or in the place of one."""
    ours = [name for name in (cell.sender, cell.receiver) if _kind(results, name) != "qemu"]
    if not ours:
        return (
            "Between both stood a tap, which forwards every byte; by hand migrate goes to the address of"
            " migrate-incoming."
        )
    return (
        f"Payloads were coded by {ours[0]}, a peer of multifd-conformance, between two QEMUs or in the place of one:"
        " only the command above does that."
    )


def _kind(results: Results, name: str) -> str | None:
    return next((peer.kind for peer in results.peers if peer.name == name), None)


def _machines(results: Results, qemus: Collection[str]) -> Iterator[str]:
    """The machine type that a run gives QEMUs of one version: the one whose defaults it asked for."""
    for peer in results.peers:
        defaults = peer.capabilities.get("defaults")
        if peer.name in qemus and len(qemus) == 1 and isinstance(defaults, dict):
            yield from map(str, defaults)


def _elsewhere(command: str, qemus: Collection[str]) -> str:
    """The command with the QEMUs of the cell in the place of this host's."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    kept, places = [], 0
    rest = iter(words)
    for word in rest:
        if word != _QEMU:
            kept.append(word)
        elif not re.fullmatch(r"\w+", value := next(rest, "")):
            places += 1
        else:
            kept += [word, value]
    if not places:
        return command
    return " ".join([shlex.join(kept), *(f"{_QEMU} {_ELSEWHERE.format(name.upper())}" for name in qemus)])


def _tried(results: Results, finding: Finding) -> tuple[int, int]:
    """Cells that show it, and cells in which the same was tried with the same prediction."""
    issue = next((each for each in shipped() if each.id == finding.id), None)
    shown = [cell for cell in results.cells if cell.id in set(finding.cells)]
    same = {(cell.scenario, cell.predicted) for cell in shown}
    alike = [cell for cell in results.cells if (cell.scenario, cell.predicted) in same and cell.verdict in _JUDGED]
    return len(shown), len({cell.id for cell in alike if issue is None or issue.covers(cell)} | {c.id for c in shown})


def often(results: Results, finding: Finding) -> tuple[str, str] | None:
    """Of what comes by chance how often it was seen, and the command that repeats it; None for what always comes."""
    cells = shown_by(results, finding)
    if not cells or not by_chance(finding.id):
        return None
    shown, could = _tried(results, finding)
    seen = f"seen in {shown:,} of {counted(could)} of this run in which the same was tried"
    return seen, repeating(cells[0], repetitions(shown, could))


def _met(cell: Cell) -> str:
    """What was observed, in few words."""
    if cell.suite in _LIBRARY:
        return _NOT_KEPT if cell.observed == "identical" else OBSERVED.get(cell.observed, cell.observed)
    return "; ".join(filter(None, (OBSERVED.get(cell.observed, cell.observed), prediction(cell))))


def _expected(cell: Cell) -> str:
    return _OF_LIBRARY if cell.suite in _LIBRARY else EXPECTED[cell.predicted]


def _source(finding: Finding) -> str | None:
    """The reproducer's text; None where there is none, or this is not the project that has it."""
    file = ROOT / finding.reproducer if finding.reproducer else None
    ours = file is not None and file.resolve().is_relative_to(ROOT) and file.is_file()
    return file.read_text(encoding="utf-8") if file is not None and ours else None


_ENVIRONMENT: Final = templating.for_markdown({"version": version, "tried": tried, "counted": counted, "met": _met})
