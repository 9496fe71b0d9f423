"""Our receiver in a cell: how it is told to listen, and what it left in memory, whatever it says of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from multifd.evidence.observe import changed, compare, snapshot
from multifd.evidence.outcome import Outcome
from multifd.evidence.testimony import claimed, done, held_to_provenance, refused
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Script
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.plan.work import Pairing
from multifd.result.record import CpuSeconds, Role, Seconds
from multifd.run.means import Means

SETTLE: Final = 0.05
"""Seconds that a peer that is not ours is given to write after it reported an error, if it is going to."""


def listen(means: Means, pairing: Pairing, memory: GuestMemory) -> str | contract.Failed:
    """Where the receiver listens, or why it does not."""
    reply = means.process(pairing.receiver, "receiver").listen(
        means.stage.path("socket"),
        means.deadline,
        memory=memory.layout,
        framing=pairing.receiver_framing,
        dialect=pairing.receiver_dialect,
        machine=pairing.machine.name,
        channels=pairing.channels,
        deadline=means.deadline,
    )
    return reply if isinstance(reply, contract.Failed) else reply.address


def landed(
    means: Means, pairing: Pairing, reply: contract.Conclusion, memory: GuestMemory, script: Script
) -> Observation:
    """What the receiver left, and whether it has let go of it."""
    # Before the comparison: what is written while that runs is late as well.
    reported = snapshot(memory) if isinstance(reply, contract.Failed) else None
    left = compare(memory, script)
    # The last image is every receiver's: its digest is computed once.
    digest = means.stage.digest(script) if left.identical else memory.digest()
    false_digest = reply.digest is not None and reply.digest != digest
    if isinstance(reply, contract.Done):
        observation = done(pairing.receiver, left)
        false = f"receiver {pairing.receiver} reports a digest that its memory does not have"
        return claimed(observation, false) if false_digest else observation
    assert reported is not None
    observation = refused(reply, pairing.receiver, left)
    if false_digest:
        return replace(observation, late_pages=1)
    if means.line_up.peer(pairing.receiver).external:
        time.sleep(SETTLE)
    # An answer to this comes after everything that it was doing.
    means.process(pairing.receiver, "receiver").hello(means.deadline)
    return replace(observation, late_pages=changed(memory, reported))


def figures(
    means: Means, pairing: Pairing, script: Script, observation: Observation,
    replies: Mapping[Role, contract.Conclusion],
) -> Outcome:  # fmt: skip
    """The outcome with what both ends measured."""
    sent, received = (reply if isinstance(reply, contract.Done) else None for reply in replies.values())
    ends = [(peer, replies[role]) for role, peer in means.ends(pairing).items()]
    pages = sum(run.count for dirty_round in script.rounds for run in dirty_round.pages)
    return Outcome(
        held_to_provenance(observation, ends),
        bytes_memory=pages * pairing.page_size,
        bytes_wire=sent.bytes_wire if sent else 0,
        seconds=Seconds(encode=sent.seconds if sent else None, decode=received.seconds if received else None),
        cpu_seconds=CpuSeconds(
            sender=sent.cpu_seconds if sent else None, receiver=received.cpu_seconds if received else None
        ),
    )
