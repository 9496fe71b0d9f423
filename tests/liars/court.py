"""Where liars are heard: a bench with honest peers that stay, beside liars that come and go."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.memory.blocks import BLOCKS
from multifd.plan.cell import PlannedCell
from multifd.plan.faults import SIZES
from multifd.plan.pairings import pairing_cell
from multifd.plan.whole import plan
from multifd.profile.model import Deadlines, PeerEntry, Profile
from multifd.result.known import shipped
from multifd.result.record import Cell, Role
from multifd.run.bench import Bench
from multifd.run.stage import Stage
from multifd.wire.fault import CHANNELS

ROOT: Final = Path(__file__).resolve().parents[2]
LIAR: Final = Path(__file__).with_name("liar.py")
HONEST: Final = ("zlib", "libdeflate", "zstd", "none")
PATIENCE: Final = 20.0
HURRY: Final = 1.0
"""Seconds within which a peer that has been started answers anything here."""

USUAL: Final[Mapping[str, object]] = {
    "sender_dialect": "qemu-10.0", "receiver_dialect": "qemu-10.0", "corpus": "mixed", "page_size": 4096,
    "channels": 2, "blocks": "two", "fill": "full", "sizes": BLOCKS["two"].sizes(2 << 20),
}  # fmt: skip
"""What a liar is asked for: something of everything."""
Framing = str | tuple[str, str]
Scenario = Literal["capture", "whole", "fault"]


def entry(lie: str, codec: str = "zlib", roles: Iterable[Role] = ("sender", "receiver")) -> PeerEntry:
    """A liar as a profile names it."""
    return PeerEntry(
        name=lie,
        command=(sys.executable, str(LIAR), lie, codec),
        environment={"PYTHONPATH": str(ROOT)},
        roles=tuple(roles),
    )


def honest() -> list[PeerEntry]:
    """Our own peers as a profile names them."""
    return [PeerEntry(codec=codec) for codec in HONEST]


def line_up(entries: Iterable[PeerEntry]) -> LineUp:
    """Introduced, not probed."""
    profile = Profile(description="liars", peers=tuple(entries), deadlines=Deadlines(hello=PATIENCE, request=PATIENCE))
    return resolve("liars", profile, None)


def planned(
    cells: Iterable[PlannedCell], sender: str, receiver: str, framing: Framing, scenario: Scenario = "capture"
) -> PlannedCell:
    """The cell of that pairing; the wire suite's is run as the scenario says."""
    sent, read = framing if isinstance(framing, tuple) else (framing, framing)
    suite = "wire" if sent == read and scenario != "fault" else "negotiation"
    found = next(
        cell
        for cell in cells
        if cell.suite == suite
        and (cell.pairing.sender, cell.pairing.receiver) == (sender, receiver)
        and (cell.pairing.sender_framing, cell.pairing.receiver_framing) == (sent, read)
        and (suite == "wire" or cell.pairing.dialect == "qemu-10.0")
        and cell.pairing.fault in {None, "magic"}
        and (cell.pairing.scenario == "fault") is (scenario == "fault")
    )
    return found if suite == "negotiation" else altered(found, scenario=scenario, **USUAL)


def altered(cell: PlannedCell, **changes: object) -> PlannedCell:
    """The same cell with something else to do."""
    return cell.model_copy(update={"work": cell.pairing.model_copy(update=changes)})


class Court(Bench):
    """A bench whose liars replace an honest peer in a planned cell."""

    def __init__(self, scratch: Path) -> None:
        self.known = line_up(honest())
        zlib = self.known.peer("zlib")
        fault = pairing_cell("negotiation", zlib, zlib, "zlib", "fault", SIZES, channels=CHANNELS, fault="magic")
        self.cells = [*plan(self.known, {}).cells.values(), fault]
        super().__init__(self.known, Stage(scratch, "main", 1, None))

    def hear(self, cell: PlannedCell) -> Cell:
        """Run a cell and conclude it, as a run does."""
        return concluded(cell, self.run(cell.pairing), Options(), shipped())

    def replaced(self, cell: PlannedCell, side: Role, lie: str) -> PlannedCell:
        """The same cell, with a liar in the place of one peer, and known by what that declares."""
        peer = self.known.peer(cell.pairing.sender if side == "sender" else cell.pairing.receiver)
        command = entry(lie, peer.name).command
        assert command is not None
        self.admit(
            peer.model_copy(
                update={
                    "name": lie,
                    "command": command,
                    "environment": {"PYTHONPATH": str(ROOT)},
                    "external": True,
                }
            )
        )
        return altered(cell, **{side: lie})

    def admit(self, peer: LineUpPeer) -> None:
        """Add a peer to the line-up; it takes the place of an earlier one of its name."""
        self.means.line_up = self.known.model_copy(update={"peers": (*self.known.peers, peer)})

    def in_a_hurry(self, cell: PlannedCell) -> Cell:
        """Hear with a short deadline, which starts when both peers have been started."""
        self.means.process(cell.pairing.sender, "sender").hello(PATIENCE)
        self.means.process(cell.pairing.receiver, "receiver").hello(PATIENCE)
        self.means.deadline = HURRY
        try:
            return self.hear(cell)
        finally:
            self.means.deadline = PATIENCE

    def dismiss(self, lie: str) -> None:
        """End the processes of a liar, as the end of a run does."""
        for key in [key for key in self.means.processes if key[0] == lie]:
            self.means.processes.pop(key).quit()


def running(lie: str) -> list[int]:
    """Processes of a liar that are alive."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = path.read_bytes().decode(errors="replace").split("\0")
            if str(LIAR) in command and lie in command:
                found.append(int(path.parent.name))
    return found
