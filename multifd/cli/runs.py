"""``multifd report`` and ``multifd diff``: what runs left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import reports
from multifd.errors import EnvironmentBroke, InputError
from multifd.result import store
from multifd.result.known import shipped
from multifd.result.record import CONFORMING, Cell, Results
from reports.svg import matrix_svg

_RANK: Final = ("pass", "refused", "hazard", "known", "skip", "not-run", "error", "fail")
"""Verdicts from good to bad: a move to the right is a regression."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path("build/conformance"))
@click.option("--matrix", metavar="FRAMING", help="Also draw this framing's sender x receiver matrix: matrix.svg.")
def report(directory: Path, matrix: str | None) -> None:
    """Make the reports of a run again, from its results, or from its event log if it was cut off.

    DIRECTORY is what the run was given as --results. The exit code is that of the run.
    """
    if not (directory / store.RESULTS).is_file():
        store.save(store.build(directory, shipped()), directory)
    results = store.load(directory)
    try:
        path = reports.write(results, directory)
        if matrix is not None:
            (directory / "matrix.svg").write_text(matrix_svg(results, matrix), encoding="utf-8")
    except ValueError as problem:
        raise InputError(f"--matrix: {problem}") from None
    except OSError as problem:
        raise EnvironmentBroke(f"{directory}: cannot write reports: {problem.strerror}") from None
    print(path)
    sys.exit(0 if _conforming(results) else 1)


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
def diff(before: Path, after: Path) -> None:
    """Compare two runs by change of verdict; exit 1 on a regression."""
    old, new = (_cells(store.load(directory)) for directory in (before, after))
    table = Table("cell", "before", "after", "reason", box=None, header_style="bold")
    changes = [
        (cell_id, old.get(cell_id), new.get(cell_id))
        for cell_id in dict.fromkeys([*new, *old])
        if _state(old.get(cell_id)) != _state(new.get(cell_id))
    ]
    changes.sort(key=lambda change: -_worse(change[1], change[2]))
    for cell_id, was, now in changes:
        style = "red" if _worse(was, now) > 0 else None
        reason = now.reason if now is not None else "no longer planned"
        table.add_row(escape(cell_id), _state(was), _state(now), escape(reason), style=style)
    console = Console(highlight=False)
    if changes:
        console.print(table)
    worse = sum(_worse(was, now) > 0 for _, was, now in changes)
    console.print(f"{len(changes)} changes, {worse} regressions")
    sys.exit(1 if worse else 0)


def _conforming(results: Results) -> bool:
    verdicts = {cell.verdict for cell in results.cells}
    return results.run.complete and bool(verdicts & CONFORMING) and not verdicts & {"fail", "error"}


def _cells(results: Results) -> dict[str, Cell]:
    return {cell.id: cell for cell in results.cells}


def _state(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return f"{cell.verdict} ({cell.kind})" if cell.kind else cell.verdict


def _worse(was: Cell | None, now: Cell | None) -> int:
    """How many ranks a cell got worse; a cell that is gone lost its evidence, a new one counts by itself."""
    if now is None:
        return _RANK.index("not-run")
    before = _RANK.index(was.verdict) if was is not None else _RANK.index("known")
    return _RANK.index(now.verdict) - before
