"""What every way to run a cell needs: peers as processes, scratch space, deadlines, proof of hardware."""

from __future__ import annotations

from typing import Final

from multifd.device.sysfs import Host
from multifd.evidence.proof import Prover
from multifd.lineup.peers import LineUp, LineUpPeer
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
        """Peers that have been started, each for all cells."""
        self._nursery = Nursery()

    def process(self, name: str, role: Role) -> PeerProcess:
        """The process of a peer in a role."""
        key = (name, role)
        if key not in self.processes:
            peer = self.line_up.peer(name)
            self.processes[key] = PeerProcess(peer.name, peer.command, peer.environment, self._nursery.start)
        return self.processes[key]

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
