"""What a run saw of a cell, beside what was predicted of it and why: for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from multifd.result.record import Cell, Results, Rule
from reports import exhibits
from reports.unnamed import Unnamed, unnamed
from reports.vocabulary import KINDS, VERDICTS, means

_ALL: Final = "all-hold"
_UNSAID: Final = "the results do not say why; without --results the oracle is asked again"


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain of reasons."""

    rule: str
    held: bool
    because: str


def judge_cell(results: Results, cell: Cell, directory: Path, console: Console) -> None:
    """Print the prediction with its chain, what was observed, what disagreed, and where the artifacts of it are.

    ``directory`` is the results' own.
    """
    for name, value in _facts(cell).items():
        console.print(f"[bold]{name:11}[/]{escape(value)}", soft_wrap=True)
    console.print()
    chain = _chain(results.run.rules, cell)
    for link in chain:
        mark = "[green]holds  [/]" if link.held else "[yellow]decides[/]"
        console.print(f"  {mark}  {escape(link.rule)}: {escape(link.because)}", soft_wrap=True)
    if chain:
        console.print()
    console.print(f"predicted [bold]{cell.predicted}[/]: {escape(cell.because or _UNSAID)}", soft_wrap=True)
    for line in _seen(cell, directory):
        console.print(escape(line), soft_wrap=True)


def judged(results: Results, cell: Cell, directory: Path) -> dict[str, Any]:
    """The same, as JSON shows it."""
    packets, missing = _packets(cell, directory)
    return {
        "id": cell.id,
        "suite": cell.suite,
        "facts": _facts(cell),
        "predicted": cell.predicted,
        "rule": cell.rule,
        "reason": cell.because,
        "chain": [asdict(link) for link in _chain(results.run.rules, cell)],
        "observed": cell.observed,
        "verdict": cell.verdict,
        "kind": cell.kind,
        "sooner": _sooner(cell),
        "disagreed": None if _agreed(cell) else cell.reason,
        "error": cell.error,
        "complaints": list(cell.complaints),
        "aftermath": cell.aftermath,
        "issues": list(cell.issues),
        "artifacts": [str(directory / path) for path in cell.artifacts],
        "packets": list(packets),
        "unnamed": None if missing is None else {"why": missing[0], "commands": list(missing[1])},
        "setting": [setting.model_dump() for setting in cell.setting],
        "reproduce": cell.reproduce,
    }


def _facts(cell: Cell) -> dict[str, str]:
    return {
        "cell": cell.id,
        "sender": f"{cell.sender}, {cell.provenance.sender or 'did not run'}",
        "receiver": f"{cell.receiver}, {cell.provenance.receiver or 'did not run'}",
        "framing": f"{cell.framing} in {cell.dialect}",
        "scenario": f"{cell.scenario}, content {cell.corpus}",
    }


def _chain(rules: Sequence[Rule], cell: Cell) -> list[Link]:
    """The rules up to the one that decides; none of a cell of which no rule was asked, or of which nobody knows."""
    names = [rule.name for rule in rules]
    place = names.index(cell.rule) if cell.rule in names else len(rules) if cell.rule == _ALL else 0
    chain = [Link(rule.name, True, rule.holds) for rule in rules[:place]]
    if cell.rule in names:
        chain.append(Link(names[place], False, cell.because or _UNSAID))
    return chain


def _agreed(cell: Cell) -> bool:
    """The reason is why it was predicted."""
    return cell.because == cell.reason


def _sooner(cell: Cell) -> bool:
    """A refusal was met where a hazard is predicted, unless it comes in time."""
    return (cell.predicted, cell.verdict) == ("hazard", "refused")


def _packets(cell: Cell, directory: Path) -> tuple[tuple[str, ...], Unnamed | None]:
    """Those around what went wrong, or why none is named."""
    packets = exhibits.read([cell], directory).get(cell.id, exhibits.Exhibits()).packets
    return packets, unnamed(cell, packets)


def _seen(cell: Cell, directory: Path) -> Iterator[str]:
    if _sooner(cell):
        yield f"or refused sooner, which is luck; it was, with the error: {cell.error or 'none was said'}"
    yield from (f"with {setting}" for setting in cell.setting)
    yield f"observed {cell.observed}: {means(cell.suite, cell.observed)}"
    kind = f"; {cell.kind}: {KINDS[cell.kind]}" if cell.kind else ""
    yield f"verdict {cell.verdict}: {VERDICTS[cell.verdict].meaning}{kind}"
    if not _agreed(cell):
        yield from cell.reason.split("\n")
    for name, said in (("error", cell.error), ("what came after", cell.aftermath)):
        if said:
            yield f"{name}: {said}"
    yield from (f"differs: {complaint}" for complaint in cell.complaints)
    packets, missing = _packets(cell, directory)
    yield from (f"packet: {line}" for line in packets)
    if missing is not None:
        yield missing[0]
        yield from (f"more: {command}" for command in missing[1])
    yield from (f"artifact: {directory / path}" for path in cell.artifacts)
    yield from (f"finding {issue}: multifd finding {issue} says more" for issue in cell.issues)
    yield f"run it: {cell.reproduce}"
