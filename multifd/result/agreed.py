"""What results say twice they say alike: a summary is held against the cells that it is of.

Whoever edits a file edits one of the two. What is refused names both. Of a run that calls itself complete, of findings,
shards, subsets and counts the cells say whether it is so; answers are found again in the cells wherever they are
shown, and the exit code is never written down. Not to be found again are a run that was *interrupted* although all its
cells have records, the pairs and triples of values that its cells combine, which need its line-up, and the texts of
issues that this version does not have: these are the word of whoever wrote the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from multifd.errors import InputError
from multifd.result.badness import worst
from multifd.result.counted import counted
from multifd.result.known import shipped
from multifd.result.record import Cell, Finding, Results, Run

_QEMU: Final = "qemu"
"""The suite that has all cells with a real QEMU."""


def check_agreed(results: Results, where: str) -> None:
    """Raises :class:`InputError`, which begins with ``where``, for the first summary that its cells contradict."""
    for said in _contradictions(results):
        raise InputError(f"{where}: {said}")


def _contradictions(results: Results) -> Iterator[str]:
    yield from _run(results.run, results.cells)
    for cell in results.cells:
        yield from _cell(cell)
    yield from _findings(results.findings, results.cells)
    for name in _twice(peer.name for peer in results.peers):
        yield f"peers: {name!r} comes more than once, expected each peer once"


def _run(run: Run, cells: tuple[Cell, ...]) -> Iterator[str]:
    left = sum(cell.verdict == "not-run" for cell in cells)
    if run.complete and left:
        yield f"run.complete: true, expected false, for {counted(left)} of {len(cells):,} {_were(left)} not run"
    if run.complete and run.finished is None:
        yield "run.complete: true, expected false, for run.finished is null"
    if run.complete and run.missing:
        yield f"run.complete: true, expected false, for run.missing has {', '.join(run.missing)}"
    for name, reach in (("pairs", run.coverage.pairs), ("triples", run.coverage.triples)):
        if reach is not None and reach.had > reach.feasible:
            yield f"run.coverage.{name}.had: {reach.had}, expected at most {reach.feasible}, as many as are feasible"
    if run.subset is not None:
        real = sum(cell.suite == _QEMU for cell in cells)
        if not real <= run.subset.cells <= run.subset.of:
            yield f"run.subset.cells: {run.subset.cells}, expected {real}, those of suite qemu, to {run.subset.of}"
    if run.shard is not None and run.shard.number > run.shard.of:
        yield f"run.shard.number: {run.shard.number}, expected 1 to {run.shard.of}"
    if run.shard is not None and (places := len(run.shard.places)) != len(cells):
        yield f"run.shard.places: {counted(places, 'place')}, expected one for each of {counted(len(cells))}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _cell(cell: Cell) -> Iterator[str]:
    found = worst(cell.device)
    if cell.device_verdict != found:
        yield f"{cell.id}: device_verdict: {cell.device_verdict!r}, expected {found!r}, the worst of its device"
    flips = cell.integrity
    if flips is not None and flips.flips != (total := flips.detected + flips.harmless + flips.silent):
        yield f"{cell.id}: integrity.flips: {flips.flips}, expected {total}: detected, harmless and silent together"


def _findings(findings: tuple[Finding, ...], cells: tuple[Cell, ...]) -> Iterator[str]:
    """A finding has the cells that name it; one that no cell names is none."""
    shown: dict[str, list[str]] = {}
    for cell in cells:
        for name in cell.issues:
            shown.setdefault(name, []).append(cell.id)
    for name in _twice(finding.id for finding in findings):
        yield f"findings: {name!r} comes more than once, expected each finding once"
    for finding in findings:
        named = shown.get(finding.id, [])
        for more in sorted(set(finding.cells).difference(named)):
            yield f"findings: {finding.id}: cells: {more!r}, expected one of the {len(named)} whose issues have it"
        if len(finding.cells) != len(named):
            told = counted(len(finding.cells))
            yield f"findings: {finding.id}: {told}, expected the {len(named)} whose issues have it"
    there = {finding.id for finding in findings}
    for issue in shipped():
        if issue.id in shown and issue.id not in there:
            yield f"findings: have no {issue.id!r}, expected it, for the issues of {shown[issue.id][0]} have it"


def _twice(names: Iterable[str]) -> Iterator[str]:
    return (name for name, times in Counter(names).items() if times > 1)
