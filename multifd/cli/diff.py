"""``multifd diff``: what changed from one run to another, and whether that is worse."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from multifd.cli import completing
from multifd.cli.loaded import results_of
from multifd.cli.output import Console
from multifd.cli.whether import asked
from multifd.comparison.compared import compare
from multifd.comparison.standing import Direction
from multifd.errors import InputError
from multifd.result.printable import printable
from reports.difference import difference, lines, markdown

NOTHING: Final = 3
"""Nothing was compared, which is not the same as nothing worse."""
STYLES: Final[dict[Direction, str | None]] = {"worse": "red", "better": "green", "other": None}


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", required=False, type=click.Path(path_type=Path))
@click.option(
    "--rename", "names", multiple=True, metavar="OLD=NEW",
    help="A peer of BEFORE goes by another name in AFTER, as a QEMU of another version does; where a run has both, only"
    " their cells are compared. Repeatable.",
)  # fmt: skip
@click.option(
    "--finding", metavar="ID", help="Answer one question: is this finding gone? A part of its id will do.",
    shell_complete=completing.issues,
)  # fmt: skip
@click.option("--library", metavar="NAME", help="The same of every finding in this software: libqatzip, libqpl, QEMU.")
@click.option("--all", "everything", is_flag=True, help="List every cell, and what is only said in other words.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: everything that differs.")
@click.option("--markdown", "as_markdown", is_flag=True, help="For a job page or a comment.")
def diff(
    before: Path, after: Path | None, names: tuple[str, ...], *, finding: str | None, library: str | None,
    everything: bool, as_json: bool, as_markdown: bool,
) -> None:  # fmt: skip
    """Compare two runs: what is worse, what is better, what is only otherwise.

    BEFORE and AFTER are what the runs were given as --results, or their results.json. Of a run that is not complete
    the cells so far count, and the first line says what is lacking. Worse is a verdict, a device that became a model of
    it, a proof that is none any more, a finding in a cell that did not show it, a cost beyond noise, and a cell that
    was checked and is not; a cell that is not planned any more is not (docs/runs.md).

    Whether one QEMU is worse than another of the same run, that run and --rename OLD=NEW say: each cell of NEW is held
    against the same cell with OLD in its place, at either end. A migration between the two has both, and is held
    against that of OLD to itself; cells of neither are left out.

    \b
    Examples:
      multifd diff build/before build/conformance
      multifd diff build/conformance --rename qemu-10.0.13=qemu-11.1.3
      multifd diff build/before build/conformance --finding qatzip-raw-exact

    Who has mended something asks for it: --finding ID, and is told in a sentence whether it is gone.

    Exit codes: 0 nothing is worse, 1 something is, 2 usage or input, 3 no cell is in both runs. With --finding or
    --library: 0 gone, 1 still there or new, 2 usage or input, 3 nobody knows: cells that showed it were not run again,
    or it comes by chance.
    """
    if as_json and as_markdown:
        raise InputError("--json and --markdown: expected one of both")
    was = results_of(before)
    if after is None and not names:
        qemus = ", ".join(peer.name for peer in was.peers if peer.kind == "qemu") or "none"
        raise InputError(
            f"AFTER: expected a second run, or --rename OLD=NEW for two peers of this one; its QEMUs are {qemus}"
        )
    now = results_of(after) if after is not None else was
    found = compare(was, now, _names(names))
    if finding is not None or library is not None:
        if as_markdown:
            raise InputError("--finding and --library answer in sentences or with --json; expected no --markdown")
        sys.exit(asked(found, now, finding, library, as_json=as_json))
    if as_json:
        print(json.dumps(found.model_dump(mode="json", by_alias=True)))
    elif as_markdown:
        print(printable(markdown(difference(found))), end="")
    else:
        console = Console()
        for line in lines(difference(found), everything=everything):
            console.print(line.text, style=STYLES[line.direction], soft_wrap=True, markup=False)
    compared = found.both or not (found.before.cells and found.after.cells)
    sys.exit(1 if found.regressions else 0 if compared else NOTHING)


def _names(given: Iterable[str]) -> dict[str, str]:
    """``OLD=NEW``; a name may have ``=`` in brackets."""
    names: dict[str, str] = {}
    for each in given:
        cuts = [
            place
            for place, sign in enumerate(each)
            if sign == "=" and each.count("[", 0, place) == each.count("]", 0, place)
        ]
        if len(cuts) != 1 or not each[: cuts[0]] or not each[cuts[0] + 1 :]:
            raise InputError(f"--rename {each!r}: expected OLD=NEW, two names of a peer")
        old, new = each[: cuts[0]], each[cuts[0] + 1 :]
        if old in names:
            raise InputError(
                f"--rename {old}={names[old]} and {each}: expected one new name for {old}; compare one by one"
            )
        names[old] = new
    return names
