"""Writes down a run: the plan before anything runs, every record at once, results and reports at the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import reports
from multifd.campaign import exhibits
from multifd.campaign.circumstances import begun, cast, now, reached
from multifd.campaign.conclude import planned
from multifd.campaign.prepare import Campaign
from multifd.campaign.resumed import resumed, standing
from multifd.result.badness import worse
from multifd.result.record import Cell, Results, Shard
from multifd.result.store import End, EventLog


class Recorder:
    """The record of one run in one directory, which is this run's alone until it is closed.

    Raises InputError while another run has the directory; every method raises EnvironmentBroke when the disk does not
    take what it writes.
    """

    def __init__(self, directory: Path) -> None:
        self.cells: dict[str, Cell] = {}
        """The plan with the records so far, by id; empty before :meth:`begin`."""
        self._campaign: Campaign | None = None
        self._shard: Shard | None = None
        self._log = EventLog(directory)
        self._directory = directory

    def begin(
        self, campaign: Campaign, command: str, shard: Shard | None = None, before: Results | None = None
    ) -> None:
        """Write the plan. The results of the run before are there until then, and its exhibits go with them.

        If ``before`` is resumed, its records that stand are written with the plan, and nothing of them goes. Raises
        InputError where it is not the same plan.
        """
        run = begun(campaign, command, shard)
        cells = {cell.id: planned(cell, campaign.options) for cell in campaign.plan.cells.values()}
        kept = {}
        if before is not None:
            run, kept = resumed(before, run, cells, self._directory), standing(before)
        else:
            exhibits.clear(self._directory)
        self._log.write_run(run)
        for peer in cast(campaign):
            self._log.write_peer(peer)
        for entry in campaign.plan.unable:
            self._log.write_unable(entry)
        for cell in cells.values():
            self._log.write_plan(cell)
        for cell in kept.values():
            self._log.write_cell(cell)
        for _ in range(run.workers_lost):
            self._log.write_lost("before", None)
        self._log.planned()
        self.cells = cells | kept
        self._campaign, self._shard = campaign, shard

    def record(self, cell: Cell) -> None:
        """Append one record. It never takes the place of a worse one."""
        self._log.write_cell(cell)
        self.cells[cell.id] = worse(self.cells[cell.id], cell)

    def lost(self, worker: str) -> None:
        """A worker has died; the cell that it ran has a record of its own."""
        self._log.write_lost(worker, None)

    def conclude(self, *, interrupted: bool) -> Results:
        """Write results.json and the reports, and before these what the run has covered."""
        if self._campaign is not None:
            planned = Counter(cell.suite for cell in self.cells.values())
            shard = self._shard is not None
            self._log.write_coverage(reached(self._campaign, self.cells.values(), planned, shard=shard))
        return self._log.finish(End(now(), interrupted), reports.write)

    def close(self) -> None:
        """Let go of the directory."""
        self._log.close()
