"""What stands between the two ends of one pairing, and what each is told."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from multifd.framing.model import framing
from multifd.lineup.peers import QemuPeer
from multifd.memory.layout import Script
from multifd.plan.work import Pairing
from multifd.qemu.defaults import Defaults
from multifd.qemu.facts import machine_dialect
from multifd.qemu.migration import UNLIMITED, Terms
from multifd.result.record import Role
from multifd.run.qemu.recording import Recording
from multifd.run.qemu.secured import Secured
from multifd.wire.dialect import DETECTION, dialect
from multifd.wire.invariants import Sender
from multifd.wire.promise import STRICT, promise_of

START: Final = 20.0
"""Seconds until a QEMU must be up."""
SLOW: Final = 16 << 20
"""Bytes a second, at which a first round takes long enough to change pages in it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What stands between the two ends of one pairing."""

    pairing: Pairing
    script: Script
    directory: Path
    machine: str
    source: QemuPeer
    destination: QemuPeer | None
    """None where our receiver is the destination."""
    splice: str | None
    """The peer in the splice."""
    recording: Recording
    secured: Secured
    standing: ExitStack = field(default_factory=ExitStack)
    """What stands until the cell is over."""

    @property
    def encodes(self) -> bool:
        """The splice stands for the sender."""
        return self.splice == self.pairing.sender

    @property
    def veiled(self) -> bool:
        """The tap stands in TLS: both ends are QEMUs, and both speak it."""
        return self.pairing.plan.tls is not None and self.splice is None and self.destination is not None

    @property
    def plain(self) -> bool:
        """Nothing that the QEMUs are started with can be refused."""
        plan = self.pairing.plan
        return plan.tls is None and not plan.on_command_line

    def ram(self, side: str) -> Path:
        """The file behind one guest's RAM."""
        return self.directory / f"{side}.ram"

    def terms(self, side: Role) -> Terms:
        """What the QEMU of one side is told. Beside a splice it has ``none``, unless it is what is under test."""
        pairing = self.pairing
        qemu = pairing.sender if side == "sender" else pairing.receiver
        name = pairing.sender_framing if side == "sender" else pairing.receiver_framing
        under_test = self.splice is None or qemu != self.splice
        facts = self.source.facts if side == "sender" or self.destination is None else self.destination.facts
        spoken = facts.dialect
        method = framing(name).travels_as if under_test else "none"
        channels = pairing.channels if side == "sender" else pairing.receiver_channels or pairing.channels
        if pairing.plan.defaults:
            untold = self.defaults(side)
            return Terms(
                method=None if method == untold.method else method,
                channels=None if channels == untold.channels else channels,
                return_path=pairing.plan.return_path,
                bandwidth=None,
                capabilities=pairing.plan.capabilities,
                parameters=pairing.plan.parameters,
            )
        mode = next(mode for mode, place in DETECTION.items() if place is pairing.plan.zero_pages(spoken))
        return Terms(
            method=method,
            channels=channels,
            zero_pages=mode if facts.zero_pages and side == "sender" else None,
            return_path=pairing.plan.return_path,
            bandwidth=SLOW if pairing.plan.early else UNLIMITED,
            pause=not pairing.plan.busy_destination,
            capabilities=pairing.plan.capabilities,
            parameters={**pairing.plan.parameters, **self.secured.parameters(side)},
            on_command_line=pairing.plan.on_command_line,
        )

    def sent(self) -> Sender:
        """What the receiving side is sent: a splice that encodes leaves all but flags and sizes as they are."""
        pairing = self.pairing
        payload = framing(pairing.sender_framing)
        promise = STRICT if pairing.plan.strict else promise_of(self.source.facts.version)
        return Sender(
            self.source.facts.dialect,
            dialect(pairing.sender_dialect).flag(payload.travels_as),
            payload.raw_pages,
            pairing.page_size,
            promise.without_count() if self.encodes else promise,
            machine_dialect(self.machine).main_sync,
            pairing.channels,
        )

    def defaults(self, side: Role) -> Defaults:
        """What the QEMU of one side runs with if it is told nothing."""
        qemu = self.source if side == "sender" or self.destination is None else self.destination
        return qemu.defaults[self.machine]

    def arguments(self, side: Role) -> tuple[str, ...]:
        """What the QEMU of one side is started with besides its machine."""
        plan = self.pairing.plan
        return (*plan.arguments, *self.secured.arguments(side), *self.terms(side).arguments())

    def splicing(self) -> dict[str, str]:
        """What the splice reads and writes: ``none`` on the side whose codec it stands for."""
        pairing = self.pairing
        qemu = self.source.facts.dialect.name
        if self.encodes:
            framings, dialects = ("none", pairing.sender_framing), (qemu, pairing.sender_dialect)
        else:
            framings, dialects = (pairing.receiver_framing, "none"), (pairing.receiver_dialect, qemu)
        return {
            "sender_framing": framings[0], "sender_dialect": dialects[0],
            "receiver_framing": framings[1], "receiver_dialect": dialects[1],
        }  # fmt: skip
