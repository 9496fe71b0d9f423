"""What a rule of the oracle decides."""

from __future__ import annotations

from dataclasses import dataclass

from multifd.oracle.words import Cause
from multifd.result.record import Outcome, Setting


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule decides: the outcome and why.

    Of a refusal, too: what is said of a packet (regular expression), or the cause, which each decoder puts in words of
    its own.
    """

    outcome: Outcome
    because: str
    error: str | None = None
    cause: Cause | None = None
    setting: tuple[Setting, ...] = ()
    """What must have been set for it, besides defaults."""
