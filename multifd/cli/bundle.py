"""``multifd bundle``: everything about one cell in one archive."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click
from rich import console

from multifd.campaign.bundle import CAPTURE, SUFFIX, Index, pack
from multifd.campaign.circumstances import begun, cast
from multifd.campaign.exhibits import exhibits_of
from multifd.campaign.prepare import Campaign
from multifd.campaign.worker import Worker
from multifd.cli import completing
from multifd.cli.explained import explain_cell
from multifd.cli.output import Console
from multifd.cli.plans import campaign_of, planning
from multifd.errors import InputError
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.capture import MANIFEST
from multifd.nearest import suggestion
from multifd.plan.cell import PlannedCell
from multifd.process.kin import Warden
from multifd.profile.load import load
from multifd.result import store
from multifd.result.record import Cell

_AGAIN: Final = "its captures are not kept: without --results the cell is run again, and recorded"
_NOTHING: Final = "nothing was sent that makes a capture"


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

    CELL is an id, as multifd cells prints it. The cell is run, and recorded, unless --results has it already. The
    archive has its record, the prediction with its chain of reasons, the words of real QEMUs, the map of wrong pages,
    what was sent, the profile, and the versions; multifd replay and multifd dissect take it as it is.
    """
    path = output or Path(re.sub(r"[^\w.=-]+", "-", cell) + SUFFIX)
    with ExitStack() as stack:
        if results is None:
            stack.enter_context(Warden())
        campaign = campaign_of(given, probe=results is None)
        planned = campaign.cell(cell)
        if results is None:
            part = campaign.part({cell})
            scratch = make_scratch(part.room, sockets=True)
            stack.callback(remove_scratch, scratch)
            record, made = _run(part, planned, scratch)
            exhibits, why = exhibits_of(cell, scratch), _NOTHING
        else:
            record = _recorded(results, cell)
            exhibits, why = exhibits_of(cell, results), _AGAIN
            places = (results / artifact for artifact in record.artifacts)
            made = next((place for place in places if (place / MANIFEST).exists()), None)
        index = Index(
            cell=cell, capture=made is not None, why=None if made is not None else why, reproduce=record.reproduce
        )
        pack(path, index, _texts(campaign, planned, record), exhibits, made)
    if as_json:
        print(json.dumps({"bundle": str(path), "verdict": record.verdict, **index.model_dump(mode="json")}))
        return
    what = "with what was sent" if made is not None else f"without a capture: {why}"
    Console().print(f"{path}: {record.verdict}, {what}", soft_wrap=True, markup=False)


def _run(campaign: Campaign, cell: PlannedCell, scratch: Path) -> tuple[Cell, Path | None]:
    """The record of the cell, and what was sent; both ``scratch`` and what a run would leave are there."""
    with Worker(campaign, scratch, scratch, scratch / "record") as worker:
        record = worker.conclude(cell)
        made = worker.capture(record, cell.work)
        # Captures of cells without sockets go with the worker.
        return record, Path(shutil.copytree(made, scratch / CAPTURE)) if made is not None else None


def _recorded(results: Path, cell_id: str) -> Cell:
    cells = {cell.id: cell for cell in store.load(results).cells}
    if cell_id not in cells:
        raise InputError(
            f"--results {str(results)!r}: has no cell {cell_id!r}; {suggestion(cell_id, cells)};"
            " multifd bundle without --results runs it"
        )
    return cells[cell_id]


def _texts(campaign: Campaign, planned: PlannedCell, record: Cell) -> dict[str, str]:
    told = io.StringIO()
    explain_cell(campaign, planned, console.Console(file=told, highlight=False, width=120, no_color=True))
    part = campaign.part({planned.id})
    names = {record.sender, record.receiver}
    peers = [peer.model_dump_json(indent=1) for peer in cast(part) if peer.name in names]
    return {
        "cell.json": record.model_dump_json(indent=1),
        "prediction.txt": told.getvalue(),
        "run.json": begun(part, shlex.join(sys.argv)).model_dump_json(indent=1),
        "peers.json": f"[{','.join(peers)}]",
        "profile.json": load(campaign.options.profile).model_dump_json(indent=1),
    }
