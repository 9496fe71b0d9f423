"""What a history has, as plain data."""

from __future__ import annotations

from typing import NamedTuple

from multifd.result.record import DeviceVerdict, Kind, Model, Provenance, Role, Verdict


class Past(Model):
    """A run that was added."""

    number: int
    """Of the row; it says nothing of time."""
    id: str
    """As the run calls itself."""
    started: str
    """ISO 8601, UTC."""
    finished: str | None
    """ISO 8601, UTC; None where it has no end."""
    complete: bool
    """Every planned cell was run or skipped for a named reason."""
    exit_code: int
    """What it came to."""
    profile: str
    """Who took part."""
    seed: str
    """Of its content: a number, of any size."""
    plan: str
    """Digest of the ids of its cells."""
    cpu: str
    """The host's processor."""
    versions: dict[str, str]
    """Of the suite, Python and packages."""
    peers: dict[str, str]
    """Version and provenance, by name."""
    planned: dict[str, int]
    """Cells by suite."""
    reach: dict[str, tuple[int, int]]
    """Pairs and triples of values: how many it had, how many there are."""


class Entry(NamedTuple):
    """One record of one cell."""

    run: Past
    verdict: Verdict
    kind: Kind | None
    device_verdict: DeviceVerdict
    ran: tuple[Provenance | None, Provenance | None]
    """How sender and receiver ran."""
    versions: tuple[str, str]
    """What sender and receiver were: version and provenance, by the line-up."""
    reason: str

    @property
    def standing(self) -> str:
        """Verdict and kind in words."""
        return f"{self.verdict} ({self.kind})" if self.kind else self.verdict


class Measure(NamedTuple):
    """What one end of a cell cost in one run."""

    run: int
    cell: int
    framing: str
    peer: str
    role: Role
    provenance: Provenance | None
    memory: int
    """Bytes."""
    cpu: float
    """Seconds."""
