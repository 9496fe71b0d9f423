"""Peers that stand for a framing where the pairing is not the point."""

from __future__ import annotations

from collections.abc import Iterable

from multifd.accelerator import by_method
from multifd.codec import create
from multifd.codec.reference import reference as of_container
from multifd.errors import HarnessError
from multifd.framing.model import framing
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.oracle.ability import cannot_read, cannot_send
from multifd.plan.pairings import able
from multifd.result.record import Role


def reference(name: str) -> str:
    """The codec that stands for a framing."""
    return of_container(framing(name).container)


def reference_pair(line_up: LineUp, sent: str, read: str) -> tuple[LineUpPeer, LineUpPeer]:
    """The peers that stand for two framings; raises HarnessError where they could not even try.

    For one that the profile lacks, or that has not said what it can do, there is a stand-in, which is skipped.
    """
    sender, receiver = _peer(line_up, reference(sent), "sender"), _peer(line_up, reference(read), "receiver")
    if not able(sender, receiver, sent, read):
        raise HarnessError(
            f"{sender.name} and {receiver.name} cannot stand for {sent} and {read}: choose other references"
        )
    return sender, receiver


def of_accelerators(peers: Iterable[LineUpPeer], name: str, role: Role) -> list[LineUpPeer]:
    """Accelerators' codecs that can do a framing in a role, with their defaults, by name.

    For a method that QEMU runs on an accelerator only that one's.
    """
    owner = by_method(name)
    able = [peer for peer in peers if peer.device is not None and "[" not in peer.name and _can(peer, name, role)]
    own = [peer for peer in able if owner is None or peer.device == owner.name]
    return sorted(own, key=lambda peer: peer.name)


def stand_in(name: str, role: Role) -> LineUpPeer:
    """For a codec of ours that the profile lacks in a role: what is predicted of it is known, and it is skipped."""
    codec = create(name)
    return LineUpPeer(
        name=name, command=(), environment={}, external=False, roles=(), codec=name, device=codec.device,
        provenance=codec.provenance, version=codec.version, encoder=codec.encoder, decoder=codec.decoder, probe=None,
        skip=f"the profile has no {role} {name}, with which this is negotiated;"
             f" remedy: add '- codec: {name}' to its peers",
    )  # fmt: skip


def _can(peer: LineUpPeer, name: str, role: Role) -> bool:
    if role == "sender":
        return cannot_send(peer.encoder, framing(name), 4096) is None
    return cannot_read(peer.decoder, framing(name)) is None


def _peer(line_up: LineUp, name: str, role: Role) -> LineUpPeer:
    found = next((peer for peer in line_up.peers if peer.name == name and role in peer.roles), None)
    if found is not None and (found.encoder if role == "sender" else found.decoder) is not None:
        return found
    return stand_in(name, role)
