"""Which flipped bits a framing's decoders notice: one row for each framing and decoder."""

from __future__ import annotations

from dataclasses import dataclass

from multifd.result.record import Integrity, Provenance, Results


@dataclass(frozen=True)
class Guard:
    """Shares of the bits that were flipped, one at a time; they add up to 1."""

    framing: str
    decoder: str
    provenance: Provenance | None
    """How the decoder ran: what the emulation of a device notices says nothing of the device."""
    flips: int
    detected: float
    harmless: float
    silent: float


def guards(results: Results) -> tuple[Guard, ...]:
    """Rows in the order of the plan."""
    return tuple(
        Guard(
            cell.framing,
            cell.receiver,
            cell.provenance.receiver,
            cell.integrity.flips,
            *(part / cell.integrity.flips for part in _parts(cell.integrity)),
        )
        for cell in results.cells
        if cell.integrity is not None and cell.integrity.flips
    )


def _parts(found: Integrity) -> tuple[int, int, int]:
    return found.detected, found.harmless, found.silent
