"""What a run did not check: a reader who decides from a report has to know where it says nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from multifd.result.counted import counted
from multifd.result.record import Answer, Results
from reports import vocabulary
from reports.model import migrates, qemus

_SKIPS: Final = 8
"""Reasons for skips that are told one by one."""


def lacking(results: Results, answers: Sequence[Answer]) -> tuple[str, ...]:
    """Sentences, the weightiest first; with the remedy where one is known.

    ``answers`` are those that its cells give, whatever the results say of them.
    """
    parts = (_cells, _hardware, _releases, _skipped)
    return (*(sentence for part in parts for sentence in part(results)), *_unseen(results, answers))


def _cells(results: Results) -> Iterator[str]:
    left = Counter(cell.suite for cell in results.cells if cell.verdict == "not-run")
    if left:
        parts = ", ".join(f"{number:,} of suite {suite}" for suite, number in left.most_common())
        yield f"{counted(left.total())} of {len(results.cells):,} were planned and not run: {parts}."
    if results.run.workers_lost:
        yield f"{counted(results.run.workers_lost, 'worker')} died."


def _hardware(results: Results) -> Iterator[str]:
    if "recorded" in results.run.host:
        yield f"{vocabulary.RECORDED[0].upper()}{vocabulary.RECORDED[1:]}."
    yield from without_silicon(results)
    unknown = [cell for cell in results.cells if cell.device_verdict == "unverified"]
    if unknown:
        reasons = dict.fromkeys(work.why for cell in unknown for work in cell.device if work.why)
        why = f", for example: {next(iter(reasons))}" if reasons else ""
        yield f"In {counted(len(unknown))} nothing says whether the accelerator did the work{why}."


def without_silicon(results: Results) -> Iterator[str]:
    """That no accelerator took part, or which did not, and what stood in its place; nothing where all did."""
    ran: dict[str, set[str]] = {}
    for peer in results.peers:
        if peer.device is not None:
            ran.setdefault(peer.device, set()).add(peer.provenance)
    instead = {
        device: f"{device} ({', '.join(vocabulary.STANDS_FOR[p] for p in vocabulary.PROVENANCES if p in seen)})"
        for device, seen in ran.items()
        if "hardware" not in seen
    }
    none = not any(peer.provenance == "hardware" for peer in results.peers)
    who = "accelerator" if none else " and no ".join(instead)
    if instead:
        yield f"No {who} took part. In its place: {'; '.join(instead.values())}."
    elif none:
        yield "No accelerator took part."


def _releases(results: Results) -> Iterator[str]:
    real = {peer.name for peer in qemus(results.peers)}
    if not migrates(results.cells):
        return
    if not real:
        yield f"{vocabulary.NO_QEMU[0].upper()}{vocabulary.NO_QEMU[1:]}."
        return
    spoken = {dialect for cell in results.cells if {cell.sender, cell.receiver} <= real
              for dialect in cell.dialect.split(">")}  # fmt: skip
    silent = [name for name in vocabulary.DIALECTS if name not in spoken and name != vocabulary.PROPOSED_DIALECT]
    if silent:
        names = ", ".join(vocabulary.versions(name) for name in silent)
        yield f"No real QEMU {names}: our own sender and receiver stand for it; remedy: --qemu PATH of one."
    if results.run.subset is not None:
        yield f"{results.run.subset.words[0].upper()}{results.run.subset.words[1:]}."


def _skipped(results: Results) -> Iterator[str]:
    reasons = Counter(cell.reason for cell in results.cells if cell.verdict == "skip").most_common()
    for reason, number in reasons[:_SKIPS]:
        yield f"{counted(number)} skipped: {reason}"
    if rest := reasons[_SKIPS:]:
        yield f"{counted(sum(number for _, number in rest))} skipped for {counted(len(rest), 'other reason')}."


def _unseen(results: Results, answers: Sequence[Answer]) -> Iterator[str]:
    blind = sum(cell.invariants is not None and bool(cell.invariants.unseen) for cell in results.cells)
    if blind:
        yield f"In {counted(blind)} part of the stream was not looked at, and each says which."
    silent = Counter(e.state for answer in answers for e in answer.evidence if e.state.startswith("not "))
    if silent:
        parts = ", ".join(f"{number} {state}" for state, number in silent.items())
        yield f"Of what is said of the thread's questions: {parts}."
    pairs = results.run.coverage.pairs
    if pairs is not None and not pairs.had:
        yield "Values were not combined: none of the suites that do so was asked for."
    elif pairs is not None and pairs.had < pairs.feasible:
        yield f"{counted(pairs.feasible - pairs.had, 'pair')} of values that can be combined stood together in no cell."
