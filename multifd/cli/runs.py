"""``multifd report`` and ``multifd diff``: what runs left behind."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import click

import reports
from multifd.campaign.options import RESULTS
from multifd.cli.output import Console
from multifd.cli.run import outcome
from multifd.errors import EnvironmentBroke, InputError
from multifd.result import store
from multifd.result.conclusion import exit_code
from multifd.result.lock import LOCK, Lock
from multifd.result.record import Cell, Results
from reports import tap
from reports.model import incomplete
from reports.svg import matrix_svg

_RANK: Final = ("pass", "refused", "hazard", "known", "skip", "not-run", "error", "fail")
"""Verdicts from good to bad: a move to the right is a regression."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path(RESULTS))
@click.option("--matrix", metavar="FRAMING", help="Also draw this framing's sender x receiver matrix: matrix.svg.")
@click.option("--tap", "as_tap", is_flag=True, help="Print the cells in the Test Anything Protocol.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def report(directory: Path, matrix: str | None, *, as_tap: bool, as_json: bool) -> None:
    """Make results and reports of a run again from its event log, or reports from its results where there is no log.

    DIRECTORY is what the run was given as --results; a run that is still going on there is left alone. The exit code
    is that of the run: 0 conforming, 1 not conforming, 3 if the environment broke or it is not complete.
    """
    with Lock(directory) if os.path.lexists(directory / LOCK) else nullcontext():
        results = store.load(directory)
        try:
            drawn = matrix_svg(results, matrix) if matrix is not None else None
        except ValueError as problem:
            raise InputError(f"--matrix: {problem}") from None
        if store.has_log(directory):
            store.save(results, directory)
        try:
            path = reports.write(results, directory)
            if drawn is not None:
                (directory / "matrix.svg").write_text(drawn, encoding="utf-8")
        except OSError as problem:
            raise EnvironmentBroke(f"{directory}: cannot write reports: {problem.strerror}") from None
    if as_tap:
        print(tap.render(results), end="")
    elif as_json:
        print(json.dumps(outcome(exit_code(results), directory.resolve(), results)))
    else:
        print(path)
    sys.exit(exit_code(results))


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
def diff(before: Path, after: Path) -> None:
    """Compare two runs by change of verdict; exit 1 on a regression.

    BEFORE and AFTER are what the runs were given as --results. Of a run that is not complete the cells so far count,
    and the last line says what is lacking.
    """
    runs = {"BEFORE": store.load(before), "AFTER": store.load(after)}
    old, new = map(_cells, runs.values())
    changes = [
        (cell_id, old.get(cell_id), new.get(cell_id))
        for cell_id in dict.fromkeys([*new, *old])
        if _state(old.get(cell_id)) != _state(new.get(cell_id))
    ]
    changes.sort(key=lambda change: -_worse(change[1], change[2]))
    console = Console()
    for cell_id, was, now in changes:
        style = "red" if _worse(was, now) > 0 else None
        reason = now.reason if now is not None else "no longer planned"
        line = f"{_state(was)} -> {_state(now)}  {cell_id}: {reason}"
        console.print(line, style=style, soft_wrap=True, markup=False)
    worse = sum(_worse(was, now) > 0 for _, was, now in changes)
    open_ends = (f"; {name} is not complete: {_lacking(run)}" for name, run in runs.items() if incomplete(run))
    console.print(f"{len(changes)} changes, {worse} regressions{''.join(open_ends)}", soft_wrap=True, markup=False)
    sys.exit(1 if worse else 0)


def _cells(results: Results) -> dict[str, Cell]:
    return {cell.id: cell for cell in results.cells}


def _lacking(results: Results) -> str:
    """Why a run is not complete."""
    left = sum(cell.verdict == "not-run" for cell in results.cells)
    reasons = [f"{left} of {len(results.cells)} cells not run"] if left else []
    if results.run.finished is None:
        reasons.append("it has no end, for it is going on or was cut off")
    elif not left:
        reasons.append("it was interrupted")
    return ", ".join(reasons)


def _state(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return f"{cell.verdict} ({cell.kind})" if cell.kind else cell.verdict


def _worse(was: Cell | None, now: Cell | None) -> int:
    """How many ranks a cell got worse; a cell that is gone lost its evidence, a new one had none that it could lose."""
    if now is None:
        return _RANK.index("not-run")
    before = _RANK.index(was.verdict) if was is not None else _RANK.index("skip")
    return _RANK.index(now.verdict) - before
