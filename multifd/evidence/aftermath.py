"""What became of a source whose migration failed, beside what became of the migration."""

from __future__ import annotations

from dataclasses import dataclass, replace

from multifd.oracle.verdict import Observation
from multifd.result.record import Kind


@dataclass(frozen=True, slots=True)
class Aftermath:
    """How it went on."""

    lost: Kind | None
    """What is wrong; None where the guest lives, has its memory, and could be migrated."""
    words: str


def after(observation: Observation, aftermath: Aftermath | None) -> Observation:
    """The observation, with what came of the source; None where that was not asked."""
    if aftermath is None:
        return observation
    return replace(observation, aftermath=aftermath.words, lost=aftermath.lost)
