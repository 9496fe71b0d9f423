"""What is done with a QEMU in the course of its life, besides one migration to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Deed = Literal["cancel", "quit-source", "quit-destination", "many-cancelled", "many-completed", "ping-pong"]
"""``cancel``: the migration is cancelled, and tried again. ``quit-…``: one end is told to quit. ``many-…``: one process
migrates again and again, and what it uses is looked at. ``ping-pong``: the guest goes there and back."""
Phase = Literal["connecting", "setup", "active", "stalled", "pre-switchover", "device"]
"""In which it happens. ``connecting``: nobody accepts. ``setup``: the main channel is there, nobody accepts the others.
``stalled``: everything is there, and the destination's process stands still."""


@dataclass(frozen=True, slots=True)
class Life:
    """One deed, in one phase where it needs one."""

    deed: Deed
    phase: Phase | None = None
