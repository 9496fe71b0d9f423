"""``multifd bundle``: everything about one cell in one archive."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from rich import console

from multifd.campaign.bundle import CAPTURE, SUFFIX, Index, pack
from multifd.campaign.circumstances import begun, cast
from multifd.campaign.exhibits import exhibits_of
from multifd.campaign.prepare import Campaign
from multifd.campaign.worker import Worker
from multifd.cli import completing
from multifd.cli.explained import explain_cell
from multifd.cli.loaded import results_of
from multifd.cli.output import Console
from multifd.cli.plans import campaign_of, planning
from multifd.errors import EnvironmentBroke, InputError
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.capture import MANIFEST
from multifd.nearest import suggestion
from multifd.plan.cell import PlannedCell
from multifd.process.kin import Warden
from multifd.profile.load import load
from multifd.result.placing import check_file
from multifd.result.record import Cell, Peer, Run

_AGAIN: Final = "its captures are not kept: without --results the cell is run again, and recorded"
_THERE: Final = "its captures are not kept, and only the host of the run can run the cell again"
_NOTHING: Final = "nothing was sent that makes a capture"
_ELSEWHERE: Final = "the plan of this host has no such cell"


@dataclass(frozen=True, slots=True)
class _Held:
    """What there is of the cell."""

    record: Cell
    texts: Mapping[str, str]
    exhibits: Path
    capture: Path | None
    why: str
    """Why there is no capture, where there is none."""
    unexplained: str | None = None
    """Why there is no chain of reasons; None where there is one."""


@click.command()
@click.argument("cell", shell_complete=completing.cells)
@planning
@click.option(
    "--results", type=click.Path(path_type=Path), metavar="DIR",
    help="Take what this run has of the cell, and run nothing.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: the cell's id, in words."
)
@click.option("--json", "as_json", is_flag=True, help="Say what is in it as one JSON object.")
def bundle(cell: str, results: Path | None, output: Path | None, *, as_json: bool, **given: object) -> None:
    """Write everything about a cell into one archive, for a bug report or another machine.

    CELL is an id, as multifd cells prints it. The cell is run, and recorded, unless --results has it already: then the
    results may be of another host. The archive has its record, the prediction with its chain of reasons (with --results
    where this host plans the cell, too), the words of real QEMUs, the map of wrong pages, what was sent, the profile,
    and the versions; multifd replay and multifd dissect take it as it is.
    """
    path = output or Path(re.sub(r"[^\w.=-]+", "-", cell) + SUFFIX)
    check_file(path, "--output")
    with ExitStack() as stack:
        held = _run(cell, given, stack) if results is None else _recorded(cell, given, results)
        record, made = held.record, held.capture
        index = Index(
            cell=cell, capture=made is not None, why=None if made is not None else held.why, reproduce=record.reproduce
        )
        pack(path, index, held.texts, held.exhibits, made)
    if as_json:
        said = {"bundle": str(path), "verdict": record.verdict, "unexplained": held.unexplained}
        print(json.dumps({**said, **index.model_dump(mode="json")}))
        return
    what = "with what was sent" if made is not None else f"without a capture: {held.why}"
    screen = Console()
    screen.print(f"{path}: {record.verdict}, {what}", soft_wrap=True, markup=False)
    if held.unexplained is not None:
        screen.print(f"without the chain of reasons: {held.unexplained}", soft_wrap=True, markup=False)


def _run(cell: str, given: Mapping[str, Any], stack: ExitStack) -> _Held:
    """The cell run on this host; what it leaves is there until ``stack`` is closed."""
    stack.enter_context(Warden())
    campaign = campaign_of(given, probe=True)
    planned = campaign.cell(cell)
    part = campaign.part({cell})
    scratch = make_scratch(part.room, sockets=True)
    stack.callback(remove_scratch, scratch)
    with Worker(part, scratch, scratch, scratch / "record") as worker:
        record = worker.conclude(planned)
        made = worker.capture(record, planned.work)
        # Captures of cells without sockets go with the worker.
        capture = Path(shutil.copytree(made, scratch / CAPTURE)) if made is not None else None
    texts = _texts(record, begun(part, shlex.join(sys.argv)), cast(part)) | _explained(campaign, planned)
    return _Held(record, texts, exhibits_of(cell, scratch), capture, _NOTHING)


def _recorded(cell: str, given: Mapping[str, Any], results: Path) -> _Held:
    """What a run has of the cell, wherever it ran: who takes part there need not be here."""
    whole = results_of(results, files=False)
    cells = {each.id: each for each in whole.cells}
    if cell not in cells:
        raise InputError(
            f"--results {str(results)!r}: has no cell {cell!r}; {suggestion(cell, cells)};"
            " multifd bundle without --results runs it"
        )
    record = cells[cell]
    explained, unexplained = _explained_here(record, given)
    # Ids and paths are somebody else's: nothing from outside the results is packed.
    inside = [results / place for place in record.artifacts if _is_inside(results / place, results)]
    capture = next((place for place in inside if (place / MANIFEST).exists()), None)
    exhibits = exhibits_of(cell, results)
    if not _is_inside(exhibits, results):
        raise InputError(f"--results {str(results)!r}: {exhibits} is not below it, expected no link and no '..'")
    texts, why = _texts(record, whole.run, whole.peers) | explained, _THERE if unexplained == _ELSEWHERE else _AGAIN
    return _Held(record, texts, exhibits, capture, why, unexplained)


def _is_inside(path: Path, directory: Path) -> bool:
    return path.resolve().is_relative_to(directory.resolve())


def _explained_here(record: Cell, given: Mapping[str, Any]) -> tuple[dict[str, str], str | None]:
    """As :func:`_explained`, where this host plans the cell as it was recorded; else nothing, and why."""
    try:
        campaign = campaign_of(given)
    except EnvironmentBroke as problem:
        return {}, str(problem)
    planned = (campaign.plan.cells | campaign.plan.left_out).get(record.id)
    if planned is None:
        return {}, _ELSEWHERE
    if planned.prediction.outcome != record.predicted:
        return {}, f"this host predicts {planned.prediction.outcome}, and the run {record.predicted}"
    return _explained(campaign, planned), None


def _explained(campaign: Campaign, planned: PlannedCell) -> dict[str, str]:
    """The chain of reasons, and the profile that it is of."""
    told = io.StringIO()
    explain_cell(campaign, planned, console.Console(file=told, highlight=False, width=120, no_color=True))
    profile = load(campaign.options.profile).model_dump_json(indent=1)
    return {"prediction.txt": told.getvalue(), "profile.json": profile}


def _texts(record: Cell, run: Run, peers: Iterable[Peer]) -> dict[str, str]:
    names = {record.sender, record.receiver}
    both = [peer.model_dump_json(indent=1) for peer in peers if peer.name in names]
    return {
        "cell.json": record.model_dump_json(indent=1),
        "run.json": run.model_dump_json(indent=1),
        "peers.json": f"[{','.join(both)}]",
    }
