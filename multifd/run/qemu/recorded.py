"""Runs a fault cell with a real QEMU: its own recording, with the fault in it, is played back to it.

Each binary is recorded once per worker. What is played has a main channel with real device state, so that a fault that
nobody notices ends in a migration that completes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from multifd.evidence.fate import Arrived, alone
from multifd.evidence.outcome import Outcome
from multifd.framing.model import framing
from multifd.lineup.peers import LineUp, QemuPeer
from multifd.memory.layout import Script
from multifd.migrate.capture import Capture
from multifd.migrate.playback import HEARING, play
from multifd.plan.qemu.machine import machine_of
from multifd.plan.work import Pairing
from multifd.qemu.guest import Machine, start
from multifd.qemu.migration import Course, Terms, incoming, watch
from multifd.qemu.recording import record_source
from multifd.run.qemu.ram import emptied, filled, left_in
from multifd.run.stage import Stage
from multifd.wire.fault import Fault, fault


class QemuFaultBench:
    """Plays recordings with faults."""

    def __init__(self, line_up: LineUp, stage: Stage, within: float) -> None:
        self._line_up = line_up
        self._stage = stage
        self._within = within
        self._captures: dict[tuple[str, str], Capture] = {}

    def run(self, pairing: Pairing) -> Outcome:
        """Run the cell; raises EnvironmentBroke if the QEMU does not come up or cannot be recorded."""
        qemu = self._line_up.qemu(pairing.receiver)
        assert qemu is not None and pairing.fault is not None
        script, machine = self._stage.script(pairing), machine_of(self._line_up, pairing)
        capture = self._capture(pairing, qemu, machine, script)
        with self._stage.workplace() as directory:
            ram = directory / "destination.ram"
            emptied(ram, pairing.sizes)
            destination = Machine.of(machine, ram, pairing.sizes)
            course = asyncio.run(self._play(qemu, destination, capture, fault(pairing.fault), directory))
            arrived = Arrived(left_in(ram, script))
        wire = sum(path.stat().st_size for path in capture.channel_paths())
        return Outcome(alone(course, arrived), bytes_wire=wire)

    def _capture(self, pairing: Pairing, qemu: QemuPeer, machine: str, script: Script) -> Capture:
        key = (qemu.name, pairing.sender_framing)
        if key not in self._captures:
            directory = self._stage.path("recording")
            terms = Terms(framing(pairing.sender_framing).travels_as, pairing.channels, pause=False)
            with self._stage.workplace() as work:
                source = Machine.of(machine, work / "source.ram", pairing.sizes)
                filled(source.memory, script.rounds[0].image)
                record_source(qemu.binary, qemu.facts, source, terms, directory, work, self._within)
            self._captures[key] = Capture.open(directory)
        return self._captures[key]

    async def _play(self, qemu: QemuPeer, machine: Machine, capture: Capture, fault: Fault, directory: Path) -> Course:
        terms = Terms(capture.framing.travels_as, capture.manifest.channels)
        arguments = (*machine.arguments(), "-incoming", "defer")
        async with start(qemu.binary, "destination", directory, arguments, self._within) as destination:
            address = await incoming(destination, terms, f"unix:{directory / 'migration'}")
            # First all of it: between its parts nothing moves, which is no stall.
            await asyncio.to_thread(play, capture, fault, address, self._within, HEARING)
            return await watch(destination, None, self._within)
