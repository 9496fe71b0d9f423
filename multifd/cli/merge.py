"""``multifd merge``: shards become one run, runs of several hosts one report."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import reports
from multifd.cli.loaded import results_of
from multifd.cli.output import Console
from multifd.cli.run import outcome
from multifd.comparison.abreast import Abreast, abreast
from multifd.comparison.merged import Joined, Part, joined
from multifd.errors import EnvironmentBroke, InputError
from multifd.result import store
from multifd.result.conclusion import exit_code
from multifd.result.counted import counted
from multifd.result.lock import LOCK, Lock
from multifd.result.placing import check_directory
from reports import abreast as shown

MERGED = "merged.json"


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("directories", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def merge(out: Path, directories: tuple[Path, ...], *, as_json: bool) -> None:
    """Make one run of the shards of a plan, and one report of the runs of several hosts.

    DIR is what each was given as --results, or its results.json. Shards of one plan become the run that they are parts
    of. If one run comes of it, OUT is its directory, like any other. If several do, for hosts, profiles, versions or
    Pythons were several, each has its directory below OUT, and OUT has report.html, report.md and merged.json with a
    column for each: which cells ended in two ways, and by what they differ. OUT is new, or empty.

    Exit codes: that of the run, of several the worst: 1 not conforming, 3 broken, not complete, or a shard is missing.
    """
    if os.path.lexists(out) and (not out.is_dir() or any(path.name != LOCK for path in out.iterdir())):
        raise InputError(f"{str(out)!r}: is there; expected a directory that is new or empty")
    check_directory(out, "OUT")
    runs = joined(Part(str(path), results_of(path)) for path in directories)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise EnvironmentBroke(f"{out}: cannot write: {problem.strerror}") from None
    with Lock(out):
        try:
            found = _write(runs, out)
        except OSError as problem:
            raise EnvironmentBroke(f"{out}: cannot write: {problem.strerror}") from None
    code = found.exit_code if found is not None else exit_code(runs[0].results)
    if as_json:
        told = outcome(code, out.resolve(), runs[0].results) if found is None else _outcome(found, out.resolve())
        print(json.dumps(told))
    else:
        for line in _said(runs, found):
            Console().print(line, soft_wrap=True, markup=False)
        print(out / "report.html")
    sys.exit(code)


def _write(runs: tuple[Joined, ...], out: Path) -> Abreast | None:
    """One run into ``out``, several below it and what they have together into it, which is returned."""
    if len(runs) == 1:
        _run(runs[0], out)
        return None
    found = abreast(runs)
    for column, run in zip(found.columns, runs, strict=True):
        (out / column.directory).mkdir()
        _run(run, out / column.directory)
    (out / MERGED).write_text(found.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")
    (out / "report.md").write_text(shown.markdown(found), encoding="utf-8")
    (out / "report.html").write_text(shown.html(found), encoding="utf-8")
    return found


def _run(run: Joined, out: Path) -> None:
    """Results, reports, and the files that cells have left."""
    for part in run.parts:
        directory = Path(part.where) if Path(part.where).is_dir() else Path(part.where).parent
        for name in dict.fromkeys(path for cell in part.results.cells for path in cell.artifacts):
            for file in _files(directory, name):
                (out / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(directory / file, out / file, follow_symlinks=False)
    store.save(run.results, out)
    reports.write(run.results, out)


def _files(directory: Path, name: str) -> Iterator[Path]:
    """Regular files of an artifact, relative to the results; what is elsewhere or behind a link is not taken."""
    path = Path(name)
    if path.is_absolute() or not path.parts or any(part == ".." or "\0" in part for part in path.parts):
        return
    if any((directory / parent).is_symlink() for parent in (path, *path.parents)[:-1]):
        return
    if (directory / path).is_file():
        yield path
    for root, _, names in os.walk(directory / path, followlinks=False):
        for each in sorted(names):
            if (file := Path(root, each)).is_file() and not file.is_symlink():
                yield file.relative_to(directory)


def _said(runs: tuple[Joined, ...], found: Abreast | None) -> Iterator[str]:
    if found is not None:
        yield from shown.lines(found)
        return
    (run,) = runs
    cells, parts = len(run.results.cells), len(run.parts)
    yield f"{counted(cells)} of {counted(parts, 'shard')}"
    for number in run.missing:
        yield f"shard {number}/{run.parts[0].shard.of} is missing: the run is not complete"


def _outcome(found: Abreast, out: Path) -> dict[str, object]:
    return {
        "exit_code": found.exit_code,
        "complete": found.complete,
        "differing": found.differing,
        "runs": [column.directory for column in found.columns],
        "results": str(out / MERGED),
        "report": str(out / "report.html"),
    }
