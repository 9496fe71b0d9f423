"""Writes down a run: the plan before anything runs, every record at once, results and reports at the end."""

from __future__ import annotations

from pathlib import Path

import reports
from multifd.campaign.circumstances import begun, cast, now
from multifd.campaign.conclude import planned
from multifd.campaign.prepare import Campaign
from multifd.result.badness import worse
from multifd.result.record import Cell, Results
from multifd.result.store import End, EventLog


class Recorder:
    """The record of one run in one directory, which is this run's alone until it is concluded.

    Raises InputError while another run has the directory; every method raises EnvironmentBroke when the disk does not
    take what it writes.
    """

    def __init__(self, campaign: Campaign, directory: Path, command: str) -> None:
        self.cells = {cell.id: planned(cell, campaign.options) for cell in campaign.plan.cells.values()}
        self._log = EventLog(directory)
        try:
            self._log.write_run(begun(campaign, command))
            for peer in cast(campaign):
                self._log.write_peer(peer)
            for entry in campaign.plan.unable:
                self._log.write_unable(entry)
            for cell in self.cells.values():
                self._log.write_plan(cell)
            self._log.planned()
        except Exception:
            self._log.close()
            raise

    def record(self, cell: Cell) -> None:
        """Append one record. It never takes the place of a worse one."""
        self._log.write_cell(cell)
        self.cells[cell.id] = worse(self.cells[cell.id], cell)

    def lost(self, worker: str) -> None:
        """A worker has died; the cell that it ran has a record of its own."""
        self._log.write_lost(worker, None)

    def conclude(self, *, interrupted: bool) -> Results:
        """Write results.json and the reports."""
        try:
            return self._log.finish(End(now(), interrupted), reports.write)
        finally:
            self._log.close()
