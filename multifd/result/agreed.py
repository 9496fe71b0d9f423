"""What results say twice they say alike: a summary is held against the cells that it is of.

Whoever edits a file edits one of the two. What is refused names both. Of a run that calls itself complete, of findings,
shards, subsets and counts the cells say whether it is so; answers are found again in the cells wherever they are
shown, and the exit code is never written down. Not to be found again are a run that was *interrupted* although all its
cells have records, the pairs and triples of values that its cells combine, which need its line-up, and the texts of
issues that this version does not have: these are the word of whoever wrote the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from multifd.errors import InputError
from multifd.result.badness import worst
from multifd.result.counted import counted
from multifd.result.known import shipped
from multifd.result.record import Cell, Finding, Peer, Results, Run, Verdict

_QEMU: Final = "qemu"
"""The suite that has all cells with a real QEMU."""
_PREDICTED: Final[Mapping[Verdict, tuple[str, ...]]] = {
    "pass": ("identical",),
    # Of some hazards a refusal is met sooner, and that is as predicted too.
    "refused": ("rejected", "hazard"),
    "hazard": ("hazard",),
}
_OBSERVED: Final[Mapping[Verdict, str]] = {
    "pass": "identical", "refused": "rejected", "hazard": "hazard", "error": "broken", "skip": "skipped",
    "not-run": "not-run",
}  # fmt: skip
"""What alone a verdict can follow from; a failure follows from anything that happened."""
_FAILED: Final[frozenset[Verdict]] = frozenset({"fail", "known"})
_NOTHING: Final = frozenset({"skipped", "not-run"})
"""Observed where nothing happened: no failure. What the harness broke in may have failed before, of pages too late."""


def check_agreed(results: Results, where: str) -> None:
    """Raises :class:`InputError`, which begins with ``where``, for the first summary that its cells contradict."""
    for said in _contradictions(results):
        raise InputError(f"{where}: {said}")


def _contradictions(results: Results) -> Iterator[str]:
    yield from _run(results.run, results.cells)
    peers = {peer.name: peer for peer in results.peers}
    for cell in results.cells:
        yield from _cell(cell)
        yield from _hardware(cell, peers)
    yield from _findings(results.findings, results.cells)
    for name in _twice(peer.name for peer in results.peers):
        yield f"peers: {name!r} comes more than once, expected each peer once"


def _run(run: Run, cells: tuple[Cell, ...]) -> Iterator[str]:
    left = sum(cell.verdict == "not-run" for cell in cells)
    if run.complete and left:
        yield f"run.complete: true, expected false, for {counted(left)} of {len(cells):,} {_were(left)} not run"
    if run.complete and run.finished is None:
        yield "run.complete: true, expected false, for run.finished is null"
    for name in _twice(rule.name for rule in run.rules):
        yield f"run.rules: {name!r} comes more than once, expected each rule once"
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
    for said in _ended(cell):
        yield f"{cell.id}: {said}"
    found = worst(cell.device)
    if cell.device_verdict != found:
        yield f"{cell.id}: device_verdict: {cell.device_verdict!r}, expected {found!r}, the worst of its device"
    flips = cell.integrity
    if flips is not None and flips.flips != (total := flips.detected + flips.harmless + flips.silent):
        yield f"{cell.id}: integrity.flips: {flips.flips}, expected {total}: detected, harmless and silent together"


def _ended(cell: Cell) -> Iterator[str]:
    """A verdict follows from what was predicted and observed, and what failed did so in some way."""
    verdict = cell.verdict
    predicted, observed = _PREDICTED.get(verdict, (cell.predicted,)), _OBSERVED.get(verdict, cell.observed)
    if cell.predicted not in predicted:
        yield f"predicted: {cell.predicted!r}, expected {' or '.join(map(repr, predicted))} of verdict {verdict!r}"
    if cell.observed != observed:
        yield f"observed: {cell.observed!r}, expected {observed!r} of verdict {verdict!r}"
    if verdict in _FAILED and cell.kind is None:
        yield f"kind: null, expected the way in which it failed, of verdict {verdict!r}"
    if verdict in _FAILED and cell.observed in _NOTHING:
        yield f"observed: {cell.observed!r}, expected something that happened, of verdict {verdict!r}"
    if verdict not in _FAILED and cell.kind is not None:
        yield f"kind: {cell.kind!r}, expected null of verdict {verdict!r}"


def _hardware(cell: Cell, peers: Mapping[str, Peer]) -> Iterator[str]:
    """Who ran on hardware says so of itself, or is a QEMU whose device counted what was asked of it."""
    proven = {work.end for work in cell.device if work.verdict == "proven"}
    for end, name, ran in (
        ("sender", cell.sender, cell.provenance.sender), ("receiver", cell.receiver, cell.provenance.receiver),
    ):  # fmt: skip
        if ran == "hardware" and end not in proven and name in peers and peers[name].provenance != ran:
            said = f"{peers[name].provenance!r} as peers has {name}, for no device proves it"
            yield f"{cell.id}: provenance.{end}: {ran!r}, expected {said}"


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
