"""``multifd history``: what many runs show together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import click

from multifd.cli.grouped import Plain
from multifd.cli.loaded import results_of
from multifd.cli.picked import picked
from multifd.errors import EnvironmentBroke, InputError
from multifd.history.archive import NAME, Archive
from multifd.history.judged import flaky, worsened
from multifd.history.trend import Trend, trends
from multifd.result.counted import counted
from multifd.result.placing import check_file
from multifd.result.printable import printable
from multifd.result.record import Model
from reports.trend import bars, plot

DEFAULT: Final = Path("build") / NAME
SHOWN: Final = 20
"""Rows that a person is shown of a list unless all are asked for."""
_ROLES: Final = {"sender": "to encode", "receiver": "to decode"}
Row = TypeVar("Row")

_database = click.option(
    "--history",
    "database",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=DEFAULT,
    show_default=True,
    help="The history.",
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object for each.")
_all = click.option("--all", "everything", is_flag=True, help=f"All, not the first {SHOWN}.")


@click.group(cls=Plain)
def history() -> None:
    """Results of many runs: a cell's past, flaky cells, first bad runs, coverage and cost over time.

    They are in one SQLite file beside the runs' directories, build/history.sqlite unless --history says otherwise.
    Begin with multifd history add build/conformance after each run (docs/runs.md).
    """


@history.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--history",
    "database",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"The history; {NAME} beside the first of them.",
)
@_json
def add(results: tuple[Path, ...], database: Path | None, *, as_json: bool) -> None:
    """Add runs; one that is there already is there once, as it was when there was most of it.

    RESULTS are what runs were given as --results, or their results.json.
    """
    first = results[0].absolute()
    beside = (first if first.is_dir() else first.parent).parent
    runs = [(path, results_of(path)) for path in results]
    with Archive(database or beside / NAME, create=True) as archive:
        for path, run in runs:
            try:
                became = archive.add(run)
            except InputError as problem:
                raise InputError(f"{path}: {problem}") from None
            if as_json:
                print(json.dumps({"path": str(path), "run": run.run.id, "became": became, "cells": len(run.cells)}))
            else:
                print(printable(f"{path}: run {run.run.id}: {became}, {counted(len(run.cells))}"))


@history.command()
@_database
@_json
def runs(database: Path, *, as_json: bool) -> None:
    """List the runs, the oldest first."""
    with Archive(database) as archive:
        found = archive.runs()
    if as_json:
        _objects(found)
        return
    for run in found:
        state = "" if run.complete else ", not complete"
        total = sum(run.planned.values())
        print(
            printable(
                f"{_when(run.started)}  {run.id}  exit code {run.exit_code}  {counted(total)}  {run.profile}{state}"
            )
        )


@history.command()
@click.argument("cell")
@_database
@_json
def cell(cell: str, database: Path, *, as_json: bool) -> None:
    """Show what became of a cell, or of several, in every run.

    CELL is an id, a part of one, or a pattern with * and ?; exit 2 if no run had such a cell.
    """
    with Archive(database) as archive:
        chosen = picked(cell, archive.cells(), "cell in this history")
        for name, entries in archive.entries(chosen):
            if as_json:
                past = [
                    {
                        "run": entry.run.id, "started": entry.run.started, "verdict": entry.verdict, "kind": entry.kind,
                        "device_verdict": entry.device_verdict, "sender": entry.versions[0], "sender_ran": entry.ran[0],
                        "receiver": entry.versions[1], "receiver_ran": entry.ran[1], "reason": entry.reason,
                    }
                    for entry in entries
                ]  # fmt: skip
                print(json.dumps({"cell": name, "records": past}))
                continue
            print(printable(name))
            before = None
            for entry in entries:
                ends = f"{entry.versions[0]} -> {entry.versions[1]}"
                print(printable(f"  {_when(entry.run.started)}  {entry.run.id}  {entry.standing:22}  {_line(ends)}"))
                if entry.standing != before:
                    print(printable(f"      {_line(entry.reason)}"))
                before = entry.standing


@history.command("flaky")
@_database
@_json
@_all
def flaky_cells(database: Path, *, as_json: bool, everything: bool) -> None:
    """List cells that went differently though nothing had changed: software, seed and processor were the same."""
    with Archive(database) as archive:
        found = [one for name, entries in archive.entries() if (one := flaky(name, entries)) is not None]
    found.sort(key=lambda each: -each.turns / each.runs)
    if as_json:
        _objects(found)
        return
    for each in _some(found, everything=everything):
        ways = ", ".join(f"{number} {standing}" for standing, number in each.standings.items())
        print(printable(f"{each.turns} of {each.runs}  {each.cell}: {ways}"))
    _counted(len(found), "flaky cell", everything=everything)


@history.command("first-bad")
@click.argument("cell", required=False)
@_database
@_json
@_all
def first_bad(cell: str | None, database: Path, *, as_json: bool, everything: bool) -> None:
    """Of each cell that is worse now than it was: the last good run, the first bad one, and what changed between.

    CELL is an id, a part of one, or a pattern with * and ?; without it all cells are looked at. Those that are flaky
    are marked: of them the first bad run says little.
    """
    with Archive(database) as archive:
        chosen = None if cell is None else picked(cell, archive.cells(), "cell in this history")
        found = [one for name, entries in archive.entries(chosen) if (one := worsened(name, entries)) is not None]
    found.sort(key=lambda each: each.flaky)
    if as_json:
        _objects(found)
        return
    for each in _some(found, everything=everything):
        mark = " (flaky)" if each.flaky else ""
        print(printable(f"{each.was} -> {each.now}  {each.cell}{mark}"))
        print(printable(f"    last good  {_when(each.good_at)}  {each.good}"))
        unseen = f"; {each.unlooked} between did not look" if each.unlooked else ""
        print(printable(f"    first bad  {_when(each.bad_at)}  {each.bad}{unseen}"))
        print(printable(f"    changed    {_line('; '.join(each.changed)) or 'nothing that a run says of itself'}"))
        print(printable(f"    {_line(each.reason)}"))
    _counted(len(found), "cell is worse than it was", "cells are worse than they were", everything=everything)


@history.command()
@_database
@_json
def coverage(database: Path, *, as_json: bool) -> None:
    """Show what the runs looked at: cells by suite, pairs and triples of values."""
    with Archive(database) as archive:
        found = archive.runs()
    if as_json:
        _objects(found)
        return
    suites = list(dict.fromkeys(suite for run in found for suite in run.planned))
    head = "  ".join(f"{printable(_line(suite)):>11}" for suite in suites)
    print(f"{'':32}  {head}  {'pairs':>7}  {'triples':>7}".rstrip())
    for run in found:
        cells = "  ".join(f"{run.planned.get(suite, 0):11,}" for suite in suites)
        reach = "  ".join(f"{_share(run.reach.get(size)):>7}" for size in ("pairs", "triples"))
        print(printable(f"{_when(run.started)}  {run.id:12.12}  {cells}  {reach}".rstrip()))


@history.command()
@click.option("--framing", metavar="NAME", help="Only rows of this framing: a part of its name, or a pattern.")
@click.option("--peer", metavar="NAME", help="Only rows of this peer: a part of its name, or a pattern.")
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE", help="Also draw the rows that are shown.")
@_database
@_json
@_all
def cost(
    framing: str | None, peer: str | None, svg: Path | None, database: Path, *, as_json: bool, everything: bool
) -> None:
    """Show what peers cost over time: CPU seconds for each GiB, of cells that all runs of a row have.

    Only runs on the processor of the last one count. What changed most comes first; a row is marked if the last run
    is beyond the noise of those before it.
    """
    with Archive(database) as archive:
        past = archive.runs()
        mine = [run for run in past if run.cpu == past[-1].cpu]
        found = list(trends(archive.measures(past[-1].cpu), mine)) if past else []
    for given, name in ((framing, "framing"), (peer, "peer")):
        if given is not None:
            fits = picked(
                given,
                list(dict.fromkeys(str(getattr(each, name)) for each in found)),
                f"{name} with a cost in two runs",
            )
            found = [each for each in found if getattr(each, name) in fits]
    if svg is not None:
        check_file(svg, "--svg")
        _draw(svg, _some(found, everything=everything))
    if as_json:
        _objects(found)
        return
    for provenance in dict.fromkeys(each.provenance for each in found):
        rows = [each for each in found if each.provenance == provenance]
        print(f"{provenance or 'unknown'}")
        for each in _some(rows, everything=everything):
            print(printable(f"  {_row(each)}"))
    hidden = not everything and any(number > SHOWN for number in Counter(each.provenance for each in found).values())
    print(f"{_number(len(found), 'row')} in {_number(len(mine), 'run')}{'; more rows with --all' if hidden else ''}")


def _row(trend: Trend) -> str:
    costs = [point.cost for point in trend.points]
    mark = f"  beyond the noise (x{trend.limit:.2f})" if trend.beyond and trend.limit is not None else ""
    told = f"{costs[0]:.2f} -> {costs[-1]:.2f} CPU s for each GiB (x{trend.ratio:.2f})"
    name = f"{trend.peer} {_ROLES[trend.role]} {trend.framing}"
    return f"{_line(name):50} {bars(costs)}  {told}, {_number(trend.cells, 'cell')}{mark}"


def _draw(path: Path, found: Sequence[Trend]) -> None:
    try:
        path.write_text(plot(found), encoding="utf-8")
    except OSError as problem:
        raise EnvironmentBroke(f"{path}: cannot write: {problem.strerror}") from None
    except ValueError as problem:
        raise InputError(f"--svg {path}: {problem}") from None


def _objects(found: Iterable[Model]) -> None:
    for each in found:
        print(json.dumps(each.model_dump(mode="json")))


def _some(found: Sequence[Row], *, everything: bool) -> Sequence[Row]:
    return found if everything else found[:SHOWN]


def _counted(number: int, one: str, many: str | None = None, *, everything: bool) -> None:
    more = f"; the first {SHOWN} are shown (--all)" if number > SHOWN and not everything else ""
    print(f"{_number(number, one, many)}{more}")


def _number(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _share(reach: tuple[int, int] | None) -> str:
    """Rounded down: what is not complete must not look as if it were."""
    return "-" if reach is None else f"{1000 * reach[0] // max(reach[1], 1) / 10:.1f}%"


def _when(instant: str) -> str:
    return instant[:19].replace("T", " ")


def _line(text: str) -> str:
    return " ".join(text.split())
