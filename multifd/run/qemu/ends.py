"""The two ends of a cell with a real QEMU: what is asked of their devices, and how a QEMU ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from multifd.accelerator import Accelerator, by_method
from multifd.evidence.asked import Part
from multifd.evidence.demand import Demand
from multifd.evidence.routing import QEMU, OnDevice
from multifd.framing.model import framing
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.peer import contract
from multifd.plan.work import Pairing
from multifd.result.record import DeviceWork, Provenance, Role, Sides


@dataclass(frozen=True, slots=True)
class Ends:
    """Who they are."""

    pairing: Pairing
    ours: Mapping[Role, LineUpPeer]
    """Peers of ours."""
    methods: Mapping[Role, Accelerator | None]
    """Of the QEMUs: the accelerator of the method, None for one of the CPU."""

    @classmethod
    def of(cls, line_up: LineUp, pairing: Pairing) -> Self:
        """Of a pairing."""
        names: dict[Role, str] = {"sender": pairing.sender, "receiver": pairing.receiver}
        spoken: dict[Role, str] = {"sender": pairing.sender_framing, "receiver": pairing.receiver_framing}
        return cls(
            pairing,
            {end: line_up.peer(name) for end, name in names.items() if line_up.qemu(name) is None},
            {
                end: by_method(framing(spoken[end]).travels_as)
                for end, name in names.items()
                if line_up.qemu(name) is not None
            },
        )

    @property
    def accelerators(self) -> dict[Role, Accelerator]:
        """Those of QEMUs."""
        return {end: accelerator for end, accelerator in self.methods.items() if accelerator is not None}

    def parts(self, demand: Demand, said: contract.Done | None) -> dict[Role, Part]:
        """What is asked of each that may have used a device; ``said`` by the peer of ours."""
        peers: dict[Role, OnDevice] = {
            **self.ours, **{end: QEMU[each.kind] for end, each in self.accelerators.items()}
        }  # fmt: skip
        asked = {
            "sender": lambda peer: demand.encoding(peer, framing(self.pairing.sender_framing)),
            "receiver": lambda peer: demand.decoding(peer, framing(self.pairing.receiver_framing)),
        }
        return {end: Part(asked[end](peer), said if end in self.ours else None) for end, peer in peers.items()}

    def provenance(self, work: Iterable[DeviceWork]) -> Sides:
        """How the QEMUs ran, by what devices have to say."""
        shown = {each.end for each in work if each.verdict == "proven"}
        return Sides.model_validate({end: _ran(each, end in shown) for end, each in self.methods.items()})


def _ran(accelerator: Accelerator | None, shown: bool) -> Provenance:
    if accelerator is None:
        return "software"
    return "hardware" if shown else accelerator.without
