"""The line-up: every peer of a profile as it introduced itself, frozen for the whole run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from multifd.device.found import Device
from multifd.framing.coder import DecoderCapability, EncoderCapability, Routing, declared
from multifd.oracle.qemu import decoder_of, encoder_of
from multifd.profile.model import Deadlines
from multifd.qemu.binary import Binary
from multifd.qemu.defaults import Defaults
from multifd.qemu.facts import Facts
from multifd.result.record import Kind, Peer, Provenance, Role


class LineUpPeer(BaseModel):
    """One peer, ready to be started by anybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    external: bool
    roles: tuple[Role, ...]
    codec: str | None
    device: str | None
    provenance: Provenance
    version: str
    encoder: EncoderCapability | None
    decoder: DecoderCapability | None
    probe: str | None
    """What the probe found wrong, None if the peer kept its word."""
    probe_kind: Kind | None = None
    """The kind of failure, None for one that the probe itself put into words."""

    refused: dict[Role, tuple[str, ...]] = {}
    """Framings that it cannot do in a role: the probe asked for each, and it refused."""

    streamless: str | None = None
    """What came of writing a stream that goes on, if it says that it cannot and the probe had it try."""

    skip: str | None = None
    """Why none of its cells runs, and what to do about it."""

    routing: Routing | None = None
    """By what its library decides what the device is given."""

    def record(self) -> Peer:
        """The peer as results show it."""
        capabilities = {
            role: declared(capability)
            for role, capability in (("sender", self.encoder), ("receiver", self.decoder))
            if capability is not None
        }
        return Peer(
            name=self.name,
            kind="external" if self.external else "codec",
            codec=self.codec,
            device=self.device,
            provenance=self.provenance,
            version=self.version,
            roles=self.roles,
            capabilities=capabilities,
        )


class Ground(BaseModel):
    """What a QEMU's guest of one machine type has besides its RAM, as a first migration showed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: dict[str, int]
    """Bytes of every RAM block, ROMs and tables included."""
    sha256: dict[str, str]
    """Of every block that is not RAM."""


class QemuPeer(BaseModel):
    """A real QEMU, ready to be started by anybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    binary: Binary
    facts: Facts
    machines: dict[str, Ground]
    """Machine types that were tried."""
    defaults: dict[str, Defaults] = {}
    """Of every machine type that it shares with another of the run, or has alone."""
    probe: str | None = None
    """What the probe found wrong, None if it carries a guest's RAM and refuses what is no migration."""
    probe_kind: Kind | None = None
    skip: str | None = None
    provenance: Provenance = "software"

    @property
    def encoder(self) -> EncoderCapability:
        """What it emits."""
        return encoder_of(self.methods)

    @property
    def decoder(self) -> DecoderCapability:
        """What it accepts."""
        return decoder_of(self.methods)

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of its methods that have cells: one that its dialect has no flag for can be listed, not predicted."""
        return tuple(method for method in self.facts.methods if method in self.facts.dialect.flags)

    def record(self) -> Peer:
        """The peer as results show it."""
        facts = self.facts
        return Peer(
            name=self.name,
            kind="qemu",
            codec=None,
            device=None,
            provenance=self.provenance,
            version=f"{facts.release} ({facts.package})" if facts.package else facts.release,
            roles=("sender", "receiver"),
            capabilities={
                "methods": list(facts.methods),
                "zero-page-detection": list(facts.zero_pages),
                "dialect": facts.dialect.name,
                "machines": list(facts.machines),
                "defaults": {machine: told.model_dump() for machine, told in self.defaults.items()},
            },
        )


class LineUp(BaseModel):
    """All peers of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str
    peers: tuple[LineUpPeer, ...]
    deadlines: Deadlines
    qemus: tuple[QemuPeer, ...] = ()
    required: tuple[str, ...] = ()
    """Kinds of accelerators whose work must be proven."""
    devices: tuple[Device, ...] = ()
    """Those on which peers of ours run."""
    holders: dict[str, int] = {}
    """By accelerator, as peers name it, the most processes of ours that may be at it; no limit for those missing."""
    remarks: tuple[str, ...] = ()
    """What a reader of the results must know of how it came to be."""

    @property
    def everybody(self) -> tuple[LineUpPeer | QemuPeer, ...]:
        """All peers, QEMUs last."""
        return (*self.peers, *self.qemus)

    def qemu(self, name: str) -> QemuPeer | None:
        """The QEMU of that name, None if it is another kind of peer."""
        return next((qemu for qemu in self.qemus if qemu.name == name), None)

    def senders(self) -> list[LineUpPeer]:
        """Peers in the sending role."""
        return [peer for peer in self.peers if "sender" in peer.roles]

    def receivers(self) -> list[LineUpPeer]:
        """Peers in the receiving role."""
        return [peer for peer in self.peers if "receiver" in peer.roles]

    def peer(self, name: str) -> LineUpPeer:
        """The peer of that name."""
        return next(peer for peer in self.peers if peer.name == name)

    def named(self, name: str) -> LineUpPeer | QemuPeer:
        """Whoever has that name."""
        return self.qemu(name) or self.peer(name)

    def provenance(self, name: str) -> Provenance:
        """How the peer of that name runs."""
        return self.named(name).provenance
