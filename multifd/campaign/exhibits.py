"""What a cell leaves beside its record, in files of its own: the words of its QEMUs, the map of wrong pages, and the
packets around what is wrong.

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
from multifd.migrate.capture import Capture
from multifd.migrate.dissected import around, carrying
from multifd.oracle.verdict import Observation
from multifd.result.placing import unlinked
from multifd.result.record import Cell

EXHIBITS: Final = "exhibits"
PAGES: Final = "pages.json"
PACKETS: Final = "packets.json"


def exhibited(cell: Cell, outcome: Outcome, results: Path, sent: Path | None = None) -> Cell:
    """The record with its exhibits among its artifacts, written below the results directory.

    ``sent`` is a capture of what its sender sent. Raises EnvironmentBroke where they cannot be written.
    """
    if cell.verdict == "pass":
        return cell
    directory = exhibits_of(cell.id, results)
    pages = outcome.observation.pages
    packets = _packets(Capture.open(sent), outcome.observation) if sent is not None else ()
    with blaming(directory):
        shutil.rmtree(directory, ignore_errors=True)
        if pages or packets or outcome.words:
            directory.mkdir(parents=True)
        kept = [Path(shutil.copy(path, directory)) for path in outcome.words]
        if pages:
            kept.append(directory / PAGES)
            kept[-1].write_text(json.dumps([asdict(stretch) for stretch in pages], indent=1), encoding="utf-8")
        if packets:
            kept.append(directory / PACKETS)
            kept[-1].write_text(json.dumps(packets, indent=1), encoding="utf-8")
    return cell.model_copy(update={"artifacts": (*cell.artifacts, *map(str, kept))})


def _packets(sent: Capture, seen: Observation) -> tuple[str, ...]:
    """Around the place that the receiver names, else around the last packet with the first page that is wrong."""
    place = seen.place
    if (place is None or place.channel is None) and seen.pages:
        place = carrying(sent, seen.pages[0].block, seen.pages[0].first)
    return around(sent, place)


def exhibits_of(cell_id: str, results: Path) -> Path:
    """Where the exhibits of a cell are."""
    return results / EXHIBITS / cell_id


def clear(results: Path) -> None:
    """Remove what an earlier run left; a link in its place goes, and what it leads to stays."""
    with blaming(results):
        shutil.rmtree(unlinked(results / EXHIBITS), ignore_errors=True)
