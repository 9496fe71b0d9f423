"""Runs one planned migration with real processes and says what happened.

The verdict is the oracle's; this only observes. Whatever a peer does, a cell ends within its deadlines.

=================  ==================================================
mode               run by
=================  ==================================================
capture, playback  :class:`multifd.run.captured.CaptureBench`
live               :class:`multifd.run.live.LiveBench`
qemu, splice       :class:`multifd.run.qemu.bench.QemuBench`
recording          :class:`multifd.run.qemu.recorded.QemuFaultBench`
running            :class:`multifd.run.qemu.running.RunningBench`
=================  ==================================================
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from multifd.device.sysfs import Host
from multifd.errors import EnvironmentBroke, InputError, MultifdError, PeerError
from multifd.evidence.outcome import Outcome
from multifd.evidence.testimony import broke
from multifd.evidence.users import devices
from multifd.lineup.peers import LineUp
from multifd.oracle.verdict import Observation
from multifd.plan.work import Flips, Pairing
from multifd.result.record import Sides
from multifd.run.captured import CaptureBench
from multifd.run.live import LiveBench
from multifd.run.means import Means
from multifd.run.qemu.bench import QemuBench
from multifd.run.qemu.recorded import QemuFaultBench
from multifd.run.qemu.running import RunningBench
from multifd.run.stage import Stage


class Bench:
    """All the ways to run a migration, for one worker.

    ``record`` is where cells with a QEMU leave their captures, ``core`` the one that this bench has to itself.
    """

    def __init__(
        self,
        line_up: LineUp,
        stage: Stage,
        host: Host | None = None,
        record: Path | None = None,
        core: int | None = None,
    ) -> None:
        self.means = Means(line_up, stage, host)
        self._captured = CaptureBench(self.means, core)
        self._live = LiveBench(self.means)
        self._with_qemu = QemuBench(self.means, record)
        self._with_running = RunningBench(self.means)
        self._with_recordings = QemuFaultBench(line_up, stage, self.means.deadline)

    def run(self, pairing: Pairing) -> Outcome:
        """Run it as its scenario says."""
        return self._timed(pairing, partial(self._run, pairing))

    def flip(self, work: Flips) -> Outcome:
        """Flip bits, one at a time."""
        return self._timed(work, partial(self._captured.flip, work))

    def _timed(self, work: Pairing | Flips, run: Callable[[], Outcome]) -> Outcome:
        """Alone on its devices, from the start to the end: a receiver that listens does not wait for them."""
        with self.means.prover.holding(devices(work, self.means.line_up)):
            started = time.perf_counter()
            try:
                outcome = run()
            except PeerError as broken:
                outcome = Outcome(broke(broken))
            except (InputError, EnvironmentBroke):
                raise
            except MultifdError as problem:
                outcome = Outcome(Observation("broken", str(problem), f"the harness failed: {problem}"))
            wall = time.perf_counter() - started
        outcome.seconds = outcome.seconds.model_copy(update={"wall": wall})
        line_up = self.means.line_up
        outcome.provenance = Sides(
            sender=outcome.provenance.sender or line_up.provenance(work.sender),
            receiver=outcome.provenance.receiver or line_up.provenance(work.receiver),
        )
        return outcome

    def close(self) -> None:
        """End every peer process."""
        self.means.close()

    def _run(self, pairing: Pairing) -> Outcome:
        match pairing.plan.mode:
            case "capture":
                return self._captured.decode(pairing)
            case "playback":
                return self._captured.play(pairing)
            case "live":
                return self._live.run(pairing)
            case "qemu" | "splice":
                return self._with_qemu.run(pairing)
            case "running":
                return self._with_running.run(pairing)
            case "recording":
                return self._with_recordings.run(pairing)
