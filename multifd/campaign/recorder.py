"""Writes down a run: the plan before anything runs, every record at once, results and reports at the end."""

from __future__ import annotations

from pathlib import Path

import reports
from multifd.campaign.circumstances import begun, cast, now
from multifd.campaign.conclude import planned
from multifd.campaign.prepare import Campaign
from multifd.errors import EnvironmentBroke
from multifd.result import store
from multifd.result.known import shipped
from multifd.result.record import Cell, Results


class Recorder:
    """The record of one run in one directory. Every method raises EnvironmentBroke when the disk does not take it."""

    def __init__(self, campaign: Campaign, directory: Path, command: str) -> None:
        self.directory = directory
        self.cells = {cell.id: planned(cell, campaign.options) for cell in campaign.plan.cells.values()}
        self._log = store.EventLog(directory)
        self._log.write_run(begun(campaign, command))
        for peer in cast(campaign):
            self._log.write_peer(peer)
        for entry in campaign.plan.unable:
            self._log.write_unable(entry)
        for cell in self.cells.values():
            self._log.write_plan(cell)
        self._log.planned()

    def record(self, cell: Cell) -> None:
        """Append one record. It never takes the place of a worse one."""
        self.cells[cell.id] = store.worse(self.cells[cell.id], cell)
        self._log.write_cell(cell)

    def lost(self, worker: str) -> None:
        """A worker has died; the cell that it ran has a record of its own."""
        self._log.write_lost(worker, None)

    def conclude(self, *, interrupted: bool) -> Results:
        """Write results.json and the reports."""
        try:
            self._log.write_end(now(), interrupted=interrupted)
        finally:
            self._log.close()
        results = store.build(self.directory, shipped())
        store.save(results, self.directory)
        try:
            reports.write(results, self.directory)
        except OSError as problem:
            raise EnvironmentBroke(f"{self.directory}: cannot write reports: {problem.strerror}") from None
        return results
