"""What every way to run a cell needs: peers as processes, scratch space, deadlines, proof of hardware."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from multifd.device.sysfs import Host
from multifd.evidence.proof import Prover
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Script
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import Nursery
from multifd.plan.work import Pairing
from multifd.result.record import Role
from multifd.run.stage import Stage

_TURNS: Final = 10
"""Deadlines of a request for which others may use a device before this worker does."""


class Means:
    """Those of one worker."""

    def __init__(self, line_up: LineUp, stage: Stage, host: Host | None = None) -> None:
        self.line_up = line_up
        self.stage = stage
        self.deadline = line_up.deadlines.request
        """Seconds that one request may take."""
        self.prover = Prover(host or Host(), line_up.required, _TURNS * self.deadline)
        self.processes: dict[tuple[str, Role], PeerProcess] = {}
        """Peers that have been started, each for all cells; the one that was asked for last is the last."""
        self._nursery = Nursery()

    def process(self, name: str, role: Role) -> PeerProcess:
        """The process of a peer in a role.

        Where a device has room for few, those that have been idle for longest end, at most until this one fits; two
        that were asked for last are of one cell.
        """
        key, peer = (name, role), self.line_up.peer(name)
        process = self.processes.pop(key, None)
        if process is None:
            self._make_room(peer)
            process = PeerProcess(peer.name, peer.command, peer.environment, self._nursery.start, introduced=True)
        self.processes[key] = process
        return process

    @contextmanager
    def destination(self, pairing: Pairing) -> Iterator[GuestMemory]:
        """Zero memory for the receiver; one that is not ours may map it, and has the room that it may touch."""
        with self.stage.destination(pairing) as memory:
            if self.line_up.peer(pairing.receiver).external:
                memory.reserve_all()
            yield memory

    def reserve(self, pairing: Pairing, script: Script) -> None:
        """See that a sender that is not ours, which may map its images, has room for their holes too."""
        if self.line_up.peer(pairing.sender).external:
            for image in dict.fromkeys(dirty_round.image for dirty_round in script.rounds):
                with GuestMemory.open(image, writable=True) as memory:
                    memory.reserve_all()

    def _make_room(self, peer: LineUpPeer) -> None:
        most = self.line_up.holders.get(peer.device or "")
        if most is None or peer.provenance != "hardware":
            return
        holding = [key for key in self.processes if self._holds(key[0], peer.device)]
        for key in holding[: max(0, len(holding) + 1 - most)]:
            self.processes.pop(key).quit()

    def _holds(self, name: str, device: str | None) -> bool:
        peer = self.line_up.peer(name)
        return (peer.device, peer.provenance) == (device, "hardware")

    def ends(self, pairing: Pairing) -> dict[Role, LineUpPeer]:
        """Both peers of a pairing of ours."""
        return {"sender": self.line_up.peer(pairing.sender), "receiver": self.line_up.peer(pairing.receiver)}

    def close(self) -> None:
        """End every peer process: all are asked first, so that they end at the same time."""
        for process in self.processes.values():
            process.dismiss()
        for process in self.processes.values():
            process.quit()
        self._nursery.close()
