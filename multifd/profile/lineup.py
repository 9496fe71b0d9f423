"""The line-up: every peer of a profile as it introduced itself, frozen for the whole run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from multifd.framing.coder import DecoderCapability, EncoderCapability, declared
from multifd.profile.model import Deadlines
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

    skip: str | None = None
    """Why none of its cells runs, and what to do about it."""

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


class LineUp(BaseModel):
    """All peers of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str
    peers: tuple[LineUpPeer, ...]
    deadlines: Deadlines

    def senders(self) -> list[LineUpPeer]:
        """Peers in the sending role."""
        return [peer for peer in self.peers if "sender" in peer.roles]

    def receivers(self) -> list[LineUpPeer]:
        """Peers in the receiving role."""
        return [peer for peer in self.peers if "receiver" in peer.roles]

    def peer(self, name: str) -> LineUpPeer:
        """The peer of that name."""
        return next(peer for peer in self.peers if peer.name == name)
