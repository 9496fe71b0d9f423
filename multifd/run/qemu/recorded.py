"""Runs a fault cell with a real QEMU: its own recording, with the fault in it, is played back to it.

Each binary and method is recorded once per worker, in a migration to itself, with the rounds of the script. What is
played has a main channel with real device state: a fault that nobody notices ends in a migration that completes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from multifd.errors import EnvironmentBroke
from multifd.evidence.fate import Arrived, alone
from multifd.evidence.outcome import Outcome
from multifd.lineup.peers import QemuPeer
from multifd.migrate.capture import Capture
from multifd.migrate.misbehave import places
from multifd.migrate.playback import HEARING, play, recorded
from multifd.plan.qemu.machine import machine_of
from multifd.plan.work import Pairing
from multifd.qemu.guest import Machine, start
from multifd.qemu.migration import Course, Terms, incoming, watch
from multifd.run.means import Means
from multifd.run.qemu.bench import QemuBench
from multifd.run.qemu.ram import emptied, left_in
from multifd.wire.fault import USUAL, Fault, fault
from multifd.wire.packet import slots

_TRIES: Final = 20
"""Recordings, until one has all places; the first one mostly has, but QEMU 7.2 sends some pages twice."""


class QemuFaultBench:
    """Plays recordings with faults."""

    def __init__(self, means: Means) -> None:
        self._line_up = means.line_up
        self._stage = means.stage
        self._within = means.deadline
        self._recordings = means.stage.path("recordings")
        self._recorder = QemuBench(means, self._recordings)
        self._captures: dict[str, Capture] = {}

    def run(self, pairing: Pairing) -> Outcome:
        """Run the cell; raises EnvironmentBroke if the QEMU does not come up or cannot be recorded."""
        qemu = self._line_up.qemu(pairing.receiver)
        assert qemu is not None and pairing.fault is not None
        script, machine = self._stage.script(pairing), machine_of(self._line_up, pairing)
        capture = self._capture(pairing.model_copy(update={"fault": None}))
        with self._stage.workplace() as directory:
            ram = directory / "destination.ram"
            emptied(ram, pairing.sizes)
            destination = Machine.of(machine, ram, pairing.sizes)
            course = asyncio.run(self._play(qemu, destination, capture, fault(pairing.fault), directory))
            arrived = Arrived(left_in(ram, script))
        wire = sum(path.stat().st_size for path in capture.channel_paths())
        return Outcome(alone(course, arrived), bytes_wire=wire)

    def _capture(self, pairing: Pairing) -> Capture:
        """The recording of the pairing without a fault; which channel gets which packets is QEMU's to choose."""
        for _ in range(_TRIES):
            if pairing.place in self._captures:
                break
            outcome = self._recorder.run(pairing)
            if outcome.observation.outcome != "identical" or outcome.observation.broken:
                continue
            if not outcome.artifacts:
                why = outcome.observation.detail or "it is no capture"
                raise EnvironmentBroke(f"{pairing.place} cannot be recorded: {why}")
            capture = Capture.open(Path(outcome.artifacts[0]))
            if _has_all_places(capture):
                self._captures[pairing.place] = capture
        else:
            raise EnvironmentBroke(f"{pairing.place}: {_TRIES} recordings, and none has a packet for every fault")
        return self._captures[pairing.place]

    async def _play(self, qemu: QemuPeer, machine: Machine, capture: Capture, fault: Fault, directory: Path) -> Course:
        terms = Terms(capture.framing.travels_as, capture.manifest.channels)
        arguments = (*machine.arguments(), "-incoming", "defer")
        async with start(qemu.binary, "destination", directory, arguments, self._within) as destination:
            address = await incoming(destination, terms, f"unix:{directory / 'migration'}")
            # First all of it: between its parts nothing moves, which is no stall.
            await asyncio.to_thread(play, capture, fault, address, self._within, HEARING)
            return await watch(destination, None, self._within)


def _has_all_places(capture: Capture) -> bool:
    """On the channel of faults the first round has a full packet in the middle that is not its first, carries no SYNC,
    and whose pages travel in no other; and there is another round."""
    data = [path.read_bytes() for path in capture.channel_paths()]
    first, *others = places(data, USUAL.channel, recorded(capture))
    middle = first[len(first) // 2]
    full = middle.pages == slots(capture.manifest.page_size)
    return len(first) > 1 and full and not (middle.sync or middle.again) and bool(others)
