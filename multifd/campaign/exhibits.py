"""What a cell leaves beside its record: the words of its QEMUs and the map of wrong pages, in files of its own.

Kept of every cell that does not simply pass, so that a bug report can be written from it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Final

from multifd.evidence.outcome import Outcome
from multifd.memory.host import blaming
from multifd.result.record import Cell

EXHIBITS: Final = "exhibits"
PAGES: Final = "pages.json"


def exhibited(cell: Cell, outcome: Outcome, results: Path) -> Cell:
    """The record with its exhibits among its artifacts, written below the results directory.

    Raises EnvironmentBroke where they cannot be written.
    """
    if cell.verdict == "pass":
        return cell
    directory = exhibits_of(cell.id, results)
    pages = outcome.observation.pages
    with blaming(directory):
        shutil.rmtree(directory, ignore_errors=True)
        if pages or outcome.words:
            directory.mkdir(parents=True)
        kept = [Path(shutil.copy(path, directory)) for path in outcome.words]
        if pages:
            kept.append(directory / PAGES)
            kept[-1].write_text(json.dumps([asdict(stretch) for stretch in pages], indent=1), encoding="utf-8")
    return cell.model_copy(update={"artifacts": (*cell.artifacts, *map(str, kept))})


def exhibits_of(cell_id: str, results: Path) -> Path:
    """Where the exhibits of a cell are."""
    return results / EXHIBITS / cell_id


def clear(results: Path) -> None:
    """Remove what an earlier run left."""
    shutil.rmtree(results / EXHIBITS, ignore_errors=True)
