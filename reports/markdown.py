"""report.md: one screen of a run for the page of a CI job, in GitHub's dialect of Markdown.

It has at most ``LINES`` lines and ``BYTES`` bytes, whatever peers say and however much goes wrong: what is worst comes
first, and of everything else it says how much more there is in report.html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from multifd.result.content import in_words
from multifd.result.counted import counted
from multifd.result.record import Cell, Results
from reports import device, markup, model, thread
from reports.lacking import without_silicon
from reports.matrix import provenances
from reports.methods import Met, Methods, Side, methods
from reports.vocabulary import NO_QEMU, PROVENANCES, RECORDED, STATES, VERDICTS, prediction, word

LINES: Final = 60
BYTES: Final = 32 << 10
"""GitHub takes 1 MiB for all steps of a job together, and a person one screen."""

_FAILURES: Final = 5
_FINDINGS: Final = 12
_AROUND: Final = 5
"""Lines of a table besides its rows: title, head, what it has no room for."""
_REMARKS: Final = 2
_CONTRADICTED: Final = 2
_SKIPS: Final = 2
_ROWS: Final = 11
"""Of the matrix of methods."""
_COLUMNS: Final = 14
_QEMUS: Final = 6
_NOTHING: Final = "that coded nothing"
_ALONE: Final = ("vendor", "fidelity")
"""Suites that look at a library by itself."""

_text: Final = partial(markup.text, most=240)
_long: Final = partial(markup.text, most=600)
"""Of what ends with its remedy."""
_code: Final = partial(markup.code, most=200)
_short: Final = partial(markup.text, most=80)


@dataclass(frozen=True)
class _Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int
    """Rows that it has no room for."""
    what: str

    def lines(self) -> Iterator[str]:
        more = [[line, *[""] * (len(self.head) - 1)] for line in _more(self.left, self.what)]
        for row in (self.head, ["---"] * len(self.head), *self.rows, *more):
            yield f"| {' | '.join(row)} |"


def render(results: Results) -> str:
    """The summary as one Markdown document; findings have the lines that nothing else needs."""
    first = [_head(results), _methods(methods(results)), _failures(results)]
    before, last = [list(part) for part in first], list(_asked(results))
    room = LINES - sum(len(part) + 1 for part in (*before, last) if part)
    parts = (*before, list(_findings(results, room)), last)
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _head(results: Results) -> Iterator[str]:
    run, headline = results.run, model.headline(results)
    yield from (f"# multifd conformance: {headline.title}", "", _text(headline.sentence), "")
    counts = model.counts(results)
    yield " · ".join(f"{term.symbol} {counts[name]:,} {term.word}" for name, term in VERDICTS.items() if counts[name])
    yield ""
    yield from (f"- {line}" for line in _facts(results))
    yield from (f"- {_long(remark)}" for remark in run.remarks[:_REMARKS])
    yield from (f"- {line}" for line in _more(len(run.remarks[_REMARKS:]), "remark"))


def _facts(results: Results) -> Iterator[str]:
    run = results.run
    yield f"{_short(run.started)}, profile {_short(run.profile)}, {_code(run.command)}"
    qemus = [f"{_short(peer.name)} {_short(peer.version)}" for peer in model.qemus(results.peers)]
    subset = f"; {_text(run.subset.words)}" if run.subset is not None else ""
    none = _text(NO_QEMU) if model.migrates(results.cells) else "none"
    yield f"QEMU: {', '.join(qemus[:_QEMUS]) or none}{', …' if qemus[_QEMUS:] else ''}{subset}"
    yield from map(_text, without_silicon(results))
    nearest = model.nearest_counts(results).items()
    ran = [f"{count:,} {PROVENANCES[name].word if name else _NOTHING}" for name, count in nearest if count]
    if ran:
        yield f"Cells checked, each by its end nearest to silicon: {', '.join(ran)}"
    if hardware := device.proof(results.cells):
        yield f"Hardware: {_text(hardware)}"
    if "recorded" in run.host:
        yield f"**{RECORDED.capitalize()}** ({_code(run.host['recorded'])})"
    if run.corpus is not None:
        yield f"Your content, {_code(run.corpus.path)}: {_text(in_words(run.corpus))}"
    if covered := model.coverage(run):
        yield "; ".join(covered)
    yield from _skipped(results)


def _skipped(results: Results) -> Iterator[str]:
    """What was not checked, and the remedy."""
    reasons = Counter(cell.reason for cell in results.cells if cell.verdict == "skip").most_common()
    for reason, count in reasons[:_SKIPS]:
        yield f"{count:,} skipped: {_long(reason)}"
    if left := sum(count for _, count in reasons[_SKIPS:]):
        yield f"{left:,} skipped for other reasons: see report.html"


def _methods(found: Methods | None) -> Iterator[str]:
    if found is None:
        return
    yield from ("## Methods: sender ↓, receiver →", "")
    rows = [
        [_side(row), *map(_met, places[:_COLUMNS])]
        for row, places in zip(found.rows[:_ROWS], found.places, strict=False)
    ]
    left = len(found.rows[_ROWS:]) + len(found.columns[_COLUMNS:])
    yield from _Table(["", *map(_side, found.columns[:_COLUMNS])], rows, left, "side").lines()


def _side(side: Side) -> str:
    return f"{_short(side.method)} {_short(side.versions)}"


def _met(met: Met | None) -> str:
    if met is None:
        return "·"
    share = f" {met.alike}/{met.ran}" if met.alike < met.ran else ""
    return f"{VERDICTS[met.worst.verdict].symbol} {word(met.worst)}{share}"


def _failures(results: Results) -> Iterator[str]:
    broken = model.broken(results)
    if not broken:
        return
    yield from ("## Failures and errors", "")
    rows = [
        [
            f"{VERDICTS[cell.verdict].symbol} {word(cell)}",
            f"{_code(cell.id)} {_sides(cell.provenance.sender, cell.provenance.receiver)}",
            "<br>".join(_code(said) for said in _disagreed(cell) if said),
            _code(cell.reproduce),
        ]
        for cell in broken[:_FAILURES]
    ]
    left = len(broken[_FAILURES:])
    yield from _Table(("Kind", "Cell", "Predicted, and what disagreed", "Reproduce"), rows, left, "bad cell").lines()


def _disagreed(cell: Cell) -> tuple[str | None, ...]:
    return prediction(cell), cell.reason, cell.error, *cell.complaints[:1]


def _sides(sender: str | None, receiver: str | None) -> str:
    return f"({' → '.join(side for side in (sender, receiver) if side)})"


def _findings(results: Results, room: int) -> Iterator[str]:
    """In so many lines, six at least."""
    # What a pairing meets is met by who migrates; what a library does by itself perhaps by nobody.
    found = sorted(model.findings(results), key=lambda view: all(cell.suite in _ALONE for cell in view.cells))
    if not found:
        return
    yield from ("## Findings: software that is not ours", "")
    shown = max(1, min(room - _AROUND, _FINDINGS))
    rows = [
        [
            view.finding.severity,
            f"{_code(view.finding.id)}<br>{_short(view.finding.component)} {_short(view.finding.versions)}",
            f"{len(view.cells)} {''.join(PROVENANCES[mark].symbol for mark in provenances(view.cells))}",
            _text(view.finding.remedy),
        ]
        for view in found[:shown]
    ]
    yield from _Table(("Severity", "Finding", "Cells", "What to do"), rows, len(found[shown:]), "finding").lines()


def _asked(results: Results) -> Iterator[str]:
    """What becomes of the answers to the thread's questions."""
    asked = thread.thread(results)
    evidence = [(answer, each) for answer in (asked.head, *asked.answers) for each in answer.evidence]
    states = Counter(each.state for _, each in evidence)
    said = ", ".join(f"{term.symbol} {states[state]} {term.word}" for state, term in STATES.items() if states[state])
    yield f"What the thread asked, by claim: {said}."
    wrong = [(answer, each) for answer, each in evidence if each.state == "contradicted"]
    for answer, each in wrong[:_CONTRADICTED]:
        yield f"- ✗ {_code(answer.id)}: {_text(each.shows)}: {_code(each.because)}"
    yield from (f"- {line}" for line in _more(len(wrong[_CONTRADICTED:]), "contradicted claim"))


def _more(count: int, what: str) -> Iterator[str]:
    """Of a list that is cut."""
    if count:
        yield f"and {counted(count, f'more {what}')}: see report.html"
