"""What peers of ours say of a migration, as an observation; of a real QEMU see :mod:`multifd.evidence.fate`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from multifd.errors import PeerError
from multifd.evidence.observe import Memory
from multifd.lineup.peers import LineUpPeer
from multifd.oracle.verdict import Observation, Observed
from multifd.peer import contract

_OUTCOMES: Final[dict[str, Observed]] = {
    "unsupported": "rejected",
    "wire": "rejected",
    "payload": "rejected",
    "closed": "rejected",
    "deadline": "hang",
    "environment": "broken",
    "internal": "crash",
}
"""What a failure that a peer reports in good order means for the cell."""


def failed(reply: contract.Failed, peer: str) -> Observation:
    """A peer says that it failed."""
    return Observation(_OUTCOMES[reply.kind], reply.error, f"peer {peer}: {reply.error}", place=reply.place)


def broke(broken: PeerError) -> Observation:
    """A peer did not keep the contract."""
    return Observation("hang" if broken.kind == "hang" else "crash", str(broken), str(broken))


def done(receiver: str, left: Memory) -> Observation:
    """A receiver says that all went well, and this is what it left."""
    if left.identical:
        return Observation("identical")
    return Observation("hazard", None, f"receiver {receiver} says done, {left.describe()}", pages=left.stretches)


def refused(reply: contract.Failed, receiver: str, left: Memory) -> Observation:
    """A receiver says that it failed, and this is what it left: pages that nobody sent are worse than any error."""
    observation = failed(reply, receiver)
    if observation.outcome != "rejected" or not left.wrong:
        return observation
    text = f"{left.describe()}; then: {observation.error}"
    return Observation("hazard", observation.error, text, pages=left.stretches, place=reply.place)


def sender_failed(observation: Observation, sent: contract.Failed, sender: str) -> Observation:
    """A sender whose receiver went away has nothing to add; any other failure of it counts.

    What its host did to it is nobody's fault, unless the receiver took half a migration for a whole one.
    """
    if sent.kind == "environment" and observation.outcome != "hazard":
        return failed(sent, sender)
    if sent.kind in ("closed", "deadline") and observation.outcome != "identical":
        return observation
    if observation.outcome == "identical":
        return claimed(observation, f"sender {sender} failed ({sent.error}), though the memory arrived")
    if observation.outcome == "hazard":
        return observation
    return failed(sent, sender)


def held_to_provenance(observation: Observation, ends: Iterable[tuple[LineUpPeer, contract.Conclusion]]) -> Observation:
    """A peer that ran otherwise than it declares made a false claim."""
    for peer, reply in ends:
        if isinstance(reply, contract.Done) and reply.provenance != peer.provenance:
            false = f"peer {peer.name} declares {peer.provenance} and says that it ran as {reply.provenance}"
            observation = claimed(observation, false)
    return observation


def claimed(observation: Observation, claim: str) -> Observation:
    """The same, and a claim of a peer that its own behaviour contradicts."""
    return replace(observation, claim=claim if observation.claim is None else f"{observation.claim}; {claim}")
