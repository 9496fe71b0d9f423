"""What became of cells in other runs, as a page has it: from a history, or from the one run that it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from multifd.history.archive import Archive
from multifd.result.record import Kind, Results, Verdict

RUNS: Final = 20
"""The latest so many are shown."""

Record = tuple[int, Verdict, Kind | None]
"""The run's place among the runs, and how the cell ended there."""


@dataclass(frozen=True)
class Before:
    """A run."""

    id: str
    started: str
    """ISO 8601."""
    peers: Mapping[str, str]
    """Version and provenance, by name."""


@dataclass(frozen=True)
class Past:
    """Runs, the oldest first, and by id of a cell how it ended in those that had it."""

    runs: tuple[Before, ...]
    records: Mapping[str, tuple[Record, ...]]
    left: int = 0
    """Older runs that are left out."""


def of_run(before: Results) -> Past:
    """One run."""
    peers = {peer.name: f"{peer.version}, {peer.provenance}" for peer in before.peers}
    run = Before(before.run.id, before.run.started, peers)
    return Past((run,), {cell.id: ((0, cell.verdict, cell.kind),) for cell in before.cells})


def of_archive(archive: Archive, results: Results) -> Past:
    """Of the cells of these results; the run itself is among the runs if it was added. Raises as the archive does.

    Of the run itself they are believed: it may have gone on since it was added.
    """
    runs = archive.runs()
    shown = runs[-RUNS:]
    places = {run.number: place for place, run in enumerate(shown)}
    now = {cell.id: cell for cell in results.cells}
    records = {}
    for name, entries in archive.entries():
        if name in now:
            ends = ((places[e.run.number], now[name] if e.run.id == results.run.id else e)
                    for e in entries if e.run.number in places)  # fmt: skip
            records[name] = tuple((place, end.verdict, end.kind) for place, end in ends)
    return Past(tuple(Before(r.id, r.started, r.peers) for r in shown), records, len(runs) - len(shown))
