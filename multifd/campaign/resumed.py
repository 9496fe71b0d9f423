"""A run that goes on where another ended: the same plan under the same circumstances, and the records that stand.

What was not run is run, and what broke is run again: an ``error`` says something of the host and nothing of the cell.
Any other record stands as it is. Under other circumstances records would stand together that cannot be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from multifd.errors import InputError
from multifd.result.record import Cell, Results, Run

OPEN: Final = frozenset({"not-run", "error"})
"""Verdicts of cells that are run when a run is resumed."""
_SAME: Final = ("profile", "seed", "strength", "subset", "corpus", "host", "versions")
_REMEDY: Final = "remedy: a run of its own, with --results OTHER; multifd merge puts both beside each other"


def standing(before: Results) -> dict[str, Cell]:
    """The records that stand, by id."""
    return {cell.id: cell for cell in before.cells if cell.verdict not in OPEN}


def resumed(before: Results, run: Run, cells: Mapping[str, Cell], where: Path) -> Run:
    """The run that goes on: ``run`` and its planned ``cells`` as they are now, under the name of the one before.

    Raises InputError, which begins with ``--resume`` and ``where``, for what is not as it was.
    """
    for field, was, now in _differences(before, run, cells):
        raise InputError(f"--resume {str(where)!r}: {field} was {was!r}, and is {now!r} now; {_REMEDY}")
    left = sum(cell.verdict in OPEN for cell in before.cells)
    return run.model_copy(
        update={
            "id": before.run.id,
            "started": before.run.started,
            "command": before.run.command,
            "workers_lost": before.run.workers_lost,
            "remarks": tuple(dict.fromkeys((*run.remarks, *before.run.remarks, _remark(run, left)))),
        }
    )


def _remark(run: Run, left: int) -> str:
    return f"resumed at {run.started}: {left} {'cell was' if left == 1 else 'cells were'} not run or had broken"


def _differences(before: Results, run: Run, cells: Mapping[str, Cell]) -> Iterator[tuple[str, object, object]]:
    """What of the run before is otherwise now, where that decides what its records mean."""
    was = (before.run.shard, before.run.plan)
    now = (run.shard, run.plan)
    for name, one, other in zip(("shard", "plan"), was, now, strict=True):
        if one != other:
            yield f"run.{name}", _short(one), _short(other)
    for name in _SAME:
        one, other = getattr(before.run, name), getattr(run, name)
        if one != other:
            yield f"run.{name}", one, other
    for cell in before.cells:
        # Options that change no id are in the command.
        if cell.reproduce != cells[cell.id].reproduce:
            yield f"the command of {cell.id}", cell.reproduce, cells[cell.id].reproduce


def _short(value: object) -> str:
    """A shard by its number, for its places are many."""
    return str(value) if value is not None else "the whole plan"
