"""What a tap saw of a migration becomes part of its outcome."""

from __future__ import annotations

from dataclasses import replace

from multifd.evidence.outcome import Outcome
from multifd.result.record import Invariants
from multifd.wire.witness import Watched


def witnessed(outcome: Outcome, watched: Watched) -> Outcome:
    """The outcome with the bytes that the tap counted, what always holds and did not, and what it could not look at."""
    return replace(
        outcome,
        observation=replace(outcome.observation, broken=watched.broken),
        bytes_wire=watched.carried,
        invariants=Invariants(broken=watched.broken, unseen=watched.unseen),
    )
