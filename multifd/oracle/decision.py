"""What a rule of the oracle decides."""

from __future__ import annotations

from dataclasses import dataclass

from multifd.result.record import Outcome


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule decides: the outcome, why, and the error to expect (regular expression)."""

    outcome: Outcome
    because: str
    error: str | None = None
