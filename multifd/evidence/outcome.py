"""What running a cell gives: an observation with its figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from multifd.oracle.verdict import Observation
from multifd.result.record import CpuSeconds, DeviceWork, Integrity, Invariants, Seconds, Sides


@dataclass(slots=True)
class Outcome:
    """An observation with its figures."""

    observation: Observation
    provenance: Sides = field(default_factory=Sides)
    bytes_memory: int = 0
    bytes_wire: int = 0
    seconds: Seconds = field(default_factory=Seconds)
    cpu_seconds: CpuSeconds = field(default_factory=CpuSeconds)
    device: tuple[DeviceWork, ...] = ()
    """The numbers behind the observation's device verdict, of each end that claims hardware."""
    artifacts: tuple[str, ...] = ()
    """Files that the cell left, such as a recording."""
    words: tuple[Path, ...] = ()
    """What QEMUs said, a file each, until the next cell begins."""
    invariants: Invariants | None = None
    """What a tap saw that always holds; None where none stood between the ends."""
    integrity: Integrity | None = None
    """What became of flipped bits."""
