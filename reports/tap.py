"""The Test Anything Protocol, version 13 (https://testanything.org), as ``meson test`` reads it from standard output.

One line for each cell: ``ok`` if it went as predicted, ``not ok`` otherwise; a known issue is ``TODO``, which is what
the protocol calls an expected failure, and a skip ``SKIP``. What stands behind a line follows it as comments. A run
that broke bails out, so that half of it is not taken for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.result.conclusion import exit_code
from multifd.result.printable import printable
from multifd.result.record import CONFORMING, Cell, Results
from reports import model
from reports.vocabulary import prediction, word

_QUIET: Final = ("pass", "refused")
"""Verdicts that need no word of why."""


def render(results: Results) -> str:
    """All cells of a run, in the order of the plan."""
    return "".join(f"{line}\n" for line in _lines(results))


def bail_out(why: str) -> str:
    """Of a run of which there is nothing else."""
    return f"TAP version 13\nBail out! {_line(why)}\n"


def _lines(results: Results) -> Iterator[str]:
    yield "TAP version 13"
    yield f"1..{len(results.cells)}"
    for number, cell in enumerate(results.cells, 1):
        yield f"{_outcome(cell)} {number} - {_line(cell.id)}{_directive(cell)}"
        if cell.verdict not in _QUIET:
            yield f"# {word(cell)}: {_line(cell.reason)}"
        if cell.verdict not in CONFORMING and cell.verdict != "skip":
            yield from (f"# {_line(text)}" for text in _behind(cell) if text)
    if code := exit_code(results):
        said = model.headline(results)
        yield f"Bail out! {said.title}: {said.sentence}" if code == 3 else f"# {said.title}: {said.sentence}"


def _behind(cell: Cell) -> tuple[str | None, ...]:
    return prediction(cell), cell.error, *cell.complaints, cell.reproduce


def _outcome(cell: Cell) -> str:
    passed = cell.verdict in CONFORMING and cell.verdict != "known"
    return "ok" if passed or cell.verdict == "skip" else "not ok"


def _directive(cell: Cell) -> str:
    if cell.verdict == "known":
        return f" # TODO {_line(', '.join(cell.issues))}"
    return f" # SKIP {_line(cell.reason)}" if cell.verdict == "skip" else ""


def _line(text: str) -> str:
    """One line, in which no directive begins: meson finds one behind any number sign, escaped or not."""
    return printable(" ".join(text.split())).replace("#", r"\u0023")
