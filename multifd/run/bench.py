"""Runs one planned migration with real processes and says what happened.

The verdict is the oracle's; this only observes. Whatever a peer does, a cell ends within its deadlines. A QEMU that
ends at a command of ours has crashed, whichever of them it was: that is said here, for all ways.

=================  =========================================================
mode               run by
=================  =========================================================
capture, playback  :class:`multifd.run.captured.CaptureBench`
live               :class:`multifd.run.live.LiveBench`
qemu, splice       :class:`multifd.run.qemu.bench.QemuBench`
recording          :class:`multifd.run.qemu.recorded.QemuFaultBench`
handshake          :class:`multifd.run.qemu.handshake.HandshakeBench`
lifetime           :class:`multifd.run.qemu.lifetimes.LifetimeBench`
connections        :class:`multifd.run.qemu.connections.ConnectionsBench`
running            :class:`multifd.run.qemu.running.RunningBench`
=================  =========================================================
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from multifd.device.sysfs import Host
from multifd.errors import EnvironmentBroke, InputError, MultifdError, PeerError
from multifd.evidence.outcome import Outcome
from multifd.evidence.testimony import broke
from multifd.evidence.users import devices
from multifd.lineup.peers import LineUp
from multifd.oracle.verdict import Observation
from multifd.plan.scenarios.scenario import Mode
from multifd.plan.work import Flips, Pairing
from multifd.process.tries import Tries
from multifd.qemu.ask import hindered
from multifd.qemu.guest import DiedError, NotUpError
from multifd.result.record import Sides
from multifd.run.captured import CaptureBench
from multifd.run.live import LiveBench
from multifd.run.means import Means
from multifd.run.qemu.bench import QemuBench
from multifd.run.qemu.connections import ConnectionsBench
from multifd.run.qemu.handshake import HandshakeBench
from multifd.run.qemu.lifetimes import LifetimeBench
from multifd.run.qemu.recorded import QemuFaultBench
from multifd.run.qemu.running import RunningBench
from multifd.run.qemu.setting import START
from multifd.run.stage import Stage


class Bench:
    """All the ways to run a migration, for one worker.

    ``record`` is where cells over sockets leave their captures, ``core`` the one that this bench has to itself.
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
        self._tries = {qemu.name: Tries(qemu.name) for qemu in line_up.qemus}
        self._captured = CaptureBench(self.means, core)
        live, with_qemu = LiveBench(self.means, _below(record, "live")), QemuBench(self.means, _below(record, "qemu"))
        self._ways: Mapping[Mode, Callable[[Pairing], Outcome]] = {
            "capture": self._captured.decode,
            "playback": self._captured.play,
            "live": live.run,
            "qemu": with_qemu.run,
            "splice": with_qemu.run,
            "recording": QemuFaultBench(self.means).run,
            "handshake": HandshakeBench(self.means).run,
            "lifetime": LifetimeBench(self.means).run,
            "running": RunningBench(self.means).run,
            "connections": ConnectionsBench(self.means, _below(record, "qemu")).run,
        }

    def run(self, pairing: Pairing) -> Outcome:
        """Run it as its scenario says; raises EnvironmentBroke where a QEMU of it is not tried any more."""
        with self._tried(pairing):
            return self._timed(pairing, partial(self._ways[pairing.plan.mode], pairing))

    def flip(self, work: Flips) -> Outcome:
        """Flip bits, one at a time."""
        return self._timed(work, partial(self._captured.flip, work))

    @contextmanager
    def _tried(self, pairing: Pairing) -> Iterator[None]:
        """Count how often in a row each QEMU of a cell could not be started, whatever it is started with."""
        qemus = [qemu for name in {pairing.sender, pairing.receiver} if (qemu := self.means.line_up.qemu(name))]
        for qemu in qemus:
            self._tries[qemu.name].expect()
        try:
            yield
        except NotUpError:
            for qemu in qemus:
                self._tries[qemu.name].ended(asyncio.run(hindered(qemu.binary, START)))
            raise
        for qemu in qemus:
            self._tries[qemu.name].ended(None)

    def _timed(self, work: Pairing | Flips, run: Callable[[], Outcome]) -> Outcome:
        """Alone on its devices, from the start to the end: a receiver that listens does not wait for them."""
        with self.means.prover.holding(devices(work, self.means.line_up)):
            self.means.stage.forget()
            started = time.perf_counter()
            try:
                outcome = run()
            except PeerError as broken:
                outcome = Outcome(broke(broken))
            except DiedError as died:
                outcome = Outcome(Observation("crash", str(died), str(died)))
            except (InputError, EnvironmentBroke):
                raise
            except MultifdError as problem:
                outcome = Outcome(Observation("broken", str(problem), f"the harness failed: {problem}"))
            wall = time.perf_counter() - started
        outcome.seconds = outcome.seconds.model_copy(update={"wall": wall})
        outcome.words = self.means.stage.words()
        line_up = self.means.line_up
        outcome.provenance = Sides(
            sender=outcome.provenance.sender or line_up.provenance(work.sender),
            receiver=outcome.provenance.receiver or line_up.provenance(work.receiver),
        )
        return outcome

    def close(self) -> None:
        """End every peer process."""
        self.means.close()


def _below(record: Path | None, name: str) -> Path | None:
    return record / name if record is not None else None
