"""``multifd report``: what a run left behind, as pages."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

import click

import reports
from multifd.campaign.options import RESULTS
from multifd.cli.loaded import results_of
from multifd.cli.run import outcome
from multifd.errors import EnvironmentBroke, InputError
from multifd.history.archive import Archive
from multifd.result import store
from multifd.result.conclusion import exit_code
from multifd.result.lock import LOCK, Lock
from multifd.result.placing import check_directory, put
from multifd.result.record import Results
from reports import tap
from reports.past import Past, of_archive
from reports.svg import matrix_svg


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path(RESULTS))
@click.option("--matrix", metavar="FRAMING", help="Also draw this framing's sender x receiver matrix: matrix.svg.")
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="DIR",
    help="A run before, or its results.json: report.html shows what changed since, as multifd diff has it.",
)  # fmt: skip
@click.option(
    "--history", type=click.Path(path_type=Path), metavar="FILE",
    help="What multifd history add made: in report.html each cell shows what became of it in other runs.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="DIR",
    help="Write results and reports there and leave DIRECTORY alone, which need not be writable.",
)  # fmt: skip
@click.option("--tap", "as_tap", is_flag=True, help="Print the cells in the Test Anything Protocol.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def report(
    directory: Path,
    matrix: str | None,
    baseline: Path | None,
    history: Path | None,
    output: Path | None,
    *,
    as_tap: bool,
    as_json: bool,
) -> None:
    """Make results and reports of a run again from its event log, or reports from its results where there is no log.

    DIRECTORY is what the run was given as --results; a run that is still going on there is left alone, or looked at
    with --output. The exit code is that of the run: 0 conforming, 1 not conforming, 3 if the environment broke or it is
    not complete.
    """
    place = output or directory
    if output is not None:
        check_directory(output, "--output")
    locks = output is None and os.path.lexists(directory / LOCK)
    with Lock(directory) if locks else nullcontext():
        results = results_of(directory, files=False)
        before = results_of(baseline) if baseline is not None else None
        past = _past(history, results) if history is not None else None
        try:
            drawn = matrix_svg(results, matrix) if matrix is not None else None
        except ValueError as problem:
            raise InputError(f"--matrix: {problem}") from None
        try:
            place.mkdir(parents=True, exist_ok=True)
            if output is not None or store.has_log(directory):
                store.save(results, place)
            path = reports.write(results, directory, before, output, past)
            if drawn is not None:
                put(place / "matrix.svg", drawn)
        except OSError as problem:
            raise EnvironmentBroke(f"{place}: cannot write reports: {problem.strerror}") from None
    if as_tap:
        print(tap.render(results), end="")
    elif as_json:
        print(json.dumps(outcome(exit_code(results), place.resolve(), results)))
    else:
        print(path)
    sys.exit(exit_code(results))


def _past(history: Path, results: Results) -> Past:
    with Archive(history) as archive:
        return of_archive(archive, results)
