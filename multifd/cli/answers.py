"""``multifd answers``: what the thread asked, answered by a run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from multifd.campaign.options import RESULTS
from multifd.cli.output import Console
from multifd.errors import InputError
from multifd.result import store
from multifd.result.answers import contradicted
from multifd.result.conclusion import is_complete
from multifd.result.record import Results
from reports import thread


@click.command()
@click.option(
    "--results", "directory", type=click.Path(path_type=Path), metavar="DIR", default=Path(RESULTS), show_default=True,
    help="The run that is asked.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the table, and each answer with its evidence.")
@click.option("--markdown", is_flag=True, help="Print docs/questions.md instead: the answers without a run.")
def answers(directory: Path, *, as_json: bool, markdown: bool) -> None:
    """Answer the questions of the 2023 thread from the cells of a run.

    First stands the table of zlib, QAT and IAA, each as sender and as receiver, by framing: the vendor libraries in one
    half, models of the silicon in the other. Then every question with its answer and the claims that it rests on. Of a
    claim the run says that it is

    \b
    shown            cells say so and none otherwise: how many, how their codecs ran, some ids, and how to run one again
    contradicted     a cell says otherwise: which, what was expected, what was seen
    not on hardware  only silicon can show it, and none took part; what an emulation does is no proof
    not shown        no cell of this run could say: why, and what to do about it

    Exit codes: 0 no claim is contradicted, 1 a claim is contradicted, 2 there are no results or they are not those of
    their log, 3 nothing is contradicted so far, but the run is not complete.
    """
    if markdown:
        print(thread.page(), end="")
        return
    logged = store.load_from(directory)
    written = store.written(directory) or logged
    wrong = contradicted(written.cells) or contradicted(logged.cells)
    if not wrong:
        _check_alike(logged, written, directory)
    shown = thread.thread(written)
    if as_json:
        print(json.dumps(thread.machine(shown), ensure_ascii=False))
    else:
        console = Console()
        for line in thread.lines(shown):
            console.print(line, style="red" if "✗ " in line else None, soft_wrap=True, markup=False)
    for name, evidence in wrong:
        print(f"multifd: {name}: contradicted: {evidence.shows}: {evidence.because}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    sys.exit(0 if is_complete(written.cells, ended=written.run.complete) else 3)


def _check_alike(logged: Results, written: Results, directory: Path) -> None:
    """Somebody may have changed either of the two; raises :class:`InputError` before anything is answered."""
    for one, other in zip(logged.cells, written.cells, strict=False):
        if one != other:
            raise InputError(
                f"{directory}/{store.RESULTS}: {other.id}: {other.verdict}, expected {one.id}: {one.verdict} as"
                f" {store.EVENTS} says; remedy: multifd report {directory}"
            )
    for field in ("run", "peers", "unable"):
        if getattr(logged, field) != getattr(written, field):
            path, remedy = f"{directory}/{store.RESULTS}", f"remedy: multifd report {directory}"
            raise InputError(f"{path}: {field} is not as {store.EVENTS} has it; {remedy}")
