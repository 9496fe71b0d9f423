"""One worker of a run: takes planned cells one after the other, and concludes each with its record."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from multifd.campaign.conclude import broken, concluded, located, planned, probed, skipped
from multifd.campaign.exhibits import exhibited
from multifd.campaign.prepare import Campaign
from multifd.campaign.releases import releases_of
from multifd.errors import EnvironmentBroke
from multifd.evidence.outcome import Outcome
from multifd.migrate.capture import MANIFEST
from multifd.peer.heap import keep
from multifd.plan.cell import PlannedCell
from multifd.plan.work import Check, Fidelity, Flips, Pairing, Probe, Reproducer, Work
from multifd.process.tries import Tries
from multifd.result.known import shipped
from multifd.result.record import Cell
from multifd.run.bench import Bench
from multifd.run.cores import own_core
from multifd.run.stage import Stage
from multifd.run.vendor import Skipped, compare, examine


class Worker:
    """``number`` of ``workers``, with its own peers and its own part of the ``scratch`` directory.

    Artifacts below ``results`` are named relative to it; ``record`` is where cells over sockets leave their captures.
    """

    def __init__(
        self, campaign: Campaign, scratch: Path, results: Path, record: Path | None, number: int = 0, workers: int = 1
    ) -> None:
        self._campaign = campaign
        self._results = results
        options = campaign.options
        stage = Stage(scratch, f"gw{number}", options.seed, options.corpus)
        self._stage = stage
        self._tries = {name: Tries(f"library {name}") for name in campaign.libraries}
        self._bench = Bench(campaign.line_up, stage, options.device_host, record, own_core(number, workers))

    def __enter__(self) -> Self:
        keep()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bench.close()

    def conclude(self, cell: PlannedCell) -> Cell:
        """Do what there is to do; a cell that the host did not let end costs itself only.

        Raises InputError where the run cannot go on.
        """
        options = self._campaign.options
        if cell.skip is not None:
            return planned(cell, options)
        if isinstance(cell.work, Probe):
            return probed(cell, self._campaign.line_up.named(cell.work.peer), options)
        try:
            return self._run(cell)
        except Skipped as reason:
            return skipped(cell, options, str(reason))
        except EnvironmentBroke as problem:
            return broken(cell, options, str(problem))
        except OSError as problem:
            return broken(cell, options, f"{problem.filename or 'the host'}: {problem.strerror}")

    def _run(self, cell: PlannedCell) -> Cell:
        options = self._campaign.options
        outcome = self._outcome(cell)
        releases = releases_of(cell.work, self._campaign.line_up, self._campaign.libraries)
        record = concluded(cell, outcome, options, shipped(), releases)
        try:
            record = exhibited(record, outcome, self._results, self._sent(record, cell.work))
        except EnvironmentBroke as problem:  # what was found counts, though it cannot be shown
            record = record.model_copy(update={"reason": f"{record.reason}; without its exhibits: {problem}"})
        return located(record, self._results)

    def _sent(self, record: Cell, work: Work) -> Path | None:
        """What the sender sent, of a cell that ended otherwise than by passing or by being refused as it should."""
        played = isinstance(work, Pairing) and work.plan.mode == "playback"  # the fault is not in what was sent
        return None if record.verdict in ("pass", "refused") or played else self.capture(record, work)

    def capture(self, cell: Cell, work: Work) -> Path | None:
        """What the sender of the last cell sent, None where there is no such thing or it was not recorded."""
        made = [self._results / path for path in cell.artifacts]
        if isinstance(work, Pairing) and work.plan.mode in ("capture", "playback"):
            made.append(self._stage.capture(work))
        return next((path for path in made if (path / MANIFEST).exists()), None)

    def _outcome(self, cell: PlannedCell) -> Outcome:
        deadline = self._campaign.line_up.deadlines.request
        match cell.work:
            case Pairing() as pairing:
                return self._bench.run(pairing)
            case Flips() as work:
                return self._bench.flip(work)
            case Check() | Reproducer() as work:
                with self._tries[work.library].attempt():
                    return examine(work, self._campaign.libraries[work.library], deadline)
            case Fidelity() as work:
                with self._tries[work.library].attempt():
                    return compare(work, self._campaign.libraries[work.library], deadline)
            case Probe():
                raise AssertionError("a probe has been made before")
