"""Runs a lifetime between real QEMUs: more than one migration, or the end of a process in the middle of one."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from multifd.evidence.outcome import Outcome
from multifd.lineup.peers import QemuPeer
from multifd.plan.qemu.cell import shared_methods
from multifd.plan.qemu.machine import machine_of
from multifd.plan.work import Pairing
from multifd.process.footprint import FRUGAL
from multifd.qemu.migration import Terms
from multifd.run.means import Means
from multifd.run.qemu.deeds import DEEDS
from multifd.run.qemu.lifetime import Lifetime
from multifd.run.qemu.ram import filled
from multifd.run.qemu.recording import Recording
from multifd.run.qemu.secured import Secured
from multifd.run.qemu.setting import Setting


class LifetimeBench:
    """Runs the cells of mode ``lifetime``."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def run(self, pairing: Pairing) -> Outcome:
        """Run the cell; raises EnvironmentBroke if a QEMU does not come up."""
        means = self._means
        source, destination = (means.line_up.qemu(name) for name in (pairing.sender, pairing.receiver))
        assert source is not None and destination is not None and pairing.plan.life is not None
        with means.stage.workplace() as directory:
            ends = Setting(
                pairing, means.stage.script(pairing), directory, machine_of(means.line_up, pairing), _frugal(source),
                destination, None, Recording(None, directory / "tap", means.deadline),
                Secured(None, directory, means.deadline),
            )  # fmt: skip
            filled(ends.ram("source"), ends.script.rounds[0].image)
            return Outcome(asyncio.run(self._live(ends, _other(pairing, source, destination))).observation())

    async def _live(self, ends: Setting, other: Terms) -> Lifetime:
        plan = ends.pairing.plan.life
        assert plan is not None
        async with AsyncExitStack() as stack:
            life = Lifetime(ends, stack, other, self._means.deadline)
            await DEEDS[plan.deed](life)
            return life


def _other(pairing: Pairing, source: QemuPeer, destination: QemuPeer) -> Terms:
    """The next method that both have, and one channel more."""
    shared = shared_methods(source, destination)
    method = shared[(shared.index(pairing.sender_framing) + 1) % len(shared)]
    return Terms(method, pairing.channels + 1, pause=False)


def _frugal(qemu: QemuPeer) -> QemuPeer:
    """The same, giving back memory that it has freed."""
    binary = qemu.binary.model_copy(update={"environment": {**qemu.binary.environment, **FRUGAL}})
    return qemu.model_copy(update={"binary": binary})
