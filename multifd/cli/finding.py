"""``multifd finding``: what a run found in software that is not ours, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.markup import escape

from multifd.campaign.options import RESULTS
from multifd.cli import completing
from multifd.cli.loaded import results_of
from multifd.cli.output import Console
from multifd.cli.picked import picked
from multifd.errors import InputError
from multifd.plan.scenarios.table import SCENARIOS
from multifd.result.counted import counted
from multifd.result.known import shipped
from multifd.result.record import SEVERITY_ORDER, Finding, Results
from reports import filing
from reports.fixed import fixed, ran

_CELLS: Final = 5
"""Ids that are listed."""
_MEANINGS: Final = {scenario.name: scenario.description for scenario in SCENARIOS.values()}


@click.command()
@click.argument("issue", metavar="[ID]", required=False, shell_complete=completing.issues)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=Path(RESULTS),
    show_default=True,
    help="The run that shows it.",
)
@click.option("--markdown", is_flag=True, help="A report ready to file with those whose software it is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def finding(issue: str | None, results: Path, *, markdown: bool, as_json: bool) -> None:
    """Show what a run found in software that is not ours: the cause, what to do, and the cells that show it.

    ID is that of a finding, a part of it, or a pattern with * and ?; without it all are listed. The report of
    --markdown has versions, steps, what was expected and observed, the reproducer, and the environment. Exit 2 if the
    run has no such finding.
    """
    found = results_of(results)
    by_id = {each.id: each for each in found.findings}
    chosen = [by_id[name] for name in _named(issue, list(by_id), results)]
    if as_json:
        for each in chosen:
            print(each.model_dump_json())
    elif markdown:
        if len(chosen) != 1:
            raise InputError(
                f"--markdown: {counted(len(chosen), 'finding')} fit, expected one: {_few(list(by_id), chosen)}"
            )
        print(filing.render(found, chosen[0], results if results.is_dir() else results.parent, _MEANINGS), end="")
    elif issue is None or len(chosen) > 1:
        _list(chosen)
    else:
        _show(found, chosen[0])


def _named(issue: str | None, ids: Sequence[str], results: Path) -> Sequence[str]:
    if issue is None:
        return ids
    known = next((each for each in shipped() if each.id == issue), None)
    if known is not None and issue not in ids:
        raise InputError(f"{results}: does not show {issue!r}, which is of {known.versions}; {known.component}")
    return picked(issue, ids, "finding")


def _few(ids: Sequence[str], chosen: Sequence[Finding]) -> str:
    return ", ".join([each.id for each in chosen][:_CELLS] or ids[:_CELLS]) or "this run has none"


def _list(findings: Sequence[Finding]) -> None:
    console = Console()
    for each in sorted(findings, key=lambda one: SEVERITY_ORDER.index(one.severity)):
        line = f"{each.severity:10} {each.id}  {each.component}, {each.versions}, {counted(len(each.cells))}"
        console.print(line, soft_wrap=True, markup=False)


def _show(results: Results, found: Finding) -> None:
    console = Console()
    cells = filing.shown_by(results, found)
    seen, again = filing.often(results, found) or (None, None)
    rows = {
        "finding": found.id,
        "severity": f"{found.severity}: {filing.SEVERITIES[found.severity]}",
        "component": f"{found.component}, {found.versions}",
        "seen with": ", ".join(ran(results, found, cells)),
        "cause": found.cause,
        "remedy": found.remedy,
        "set instead": ", ".join(f"{name}={value}" for name, value in found.instead.items()),
        "upstream": found.upstream or "not known to be reported",
        "fixed in": fixed(results, found, cells),
        "reproducer": found.reproducer,
        "reproduce": found.reproduce,
        "by chance": seen,
        "repeat": again,
    }
    for name, value in rows.items():
        if value:
            console.print(f"[bold]{name:12}[/]{escape(value)}", soft_wrap=True)
    for cell in found.cells[:_CELLS]:
        console.print(f"  {cell}", soft_wrap=True, markup=False)
    if len(found.cells) > _CELLS:
        console.print(f"  and {counted(len(found.cells) - _CELLS, 'more cell')}", soft_wrap=True)
