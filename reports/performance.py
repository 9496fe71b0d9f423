"""What encoding and decoding took, as a by-product of conformance: a hint where to measure, not a benchmark.

Figures are totals over the cells of suite "wire" with verdict pass, since only there is it known that the
right bytes came out. Ratio is bytes on the wire / bytes of memory, so smaller is better; speed is bytes of
memory / seconds as the peer measured, in MB/s (10**6 bytes).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from multifd.result.record import Cell, Provenance, Results
from reports.matrix import grouped


@dataclass(frozen=True)
class Figures:
    """One peer in one framing; None where it has no cell in that role, or the peer did not measure."""

    framing: str
    peer: str
    provenance: tuple[Provenance, ...]
    corpora: tuple[str, ...]
    cells: int
    ratio: float | None
    encode: float | None
    """MB/s."""
    decode: float | None
    """MB/s."""


def figures(results: Results) -> tuple[Figures, ...]:
    """One row per framing and peer: ratio and encoding as sender, decoding as receiver; senders first."""
    cells = [cell for cell in results.cells if cell.suite == "wire" and cell.verdict == "pass"]
    keys = dict.fromkeys((cell.framing, peer) for cell in cells for peer in (cell.sender, cell.receiver))
    by_framing = grouped(cells, lambda cell: cell.framing)
    rows = [_figures(framing, peer, by_framing[framing]) for framing, peer in keys]
    order = list(by_framing)
    return tuple(sorted(rows, key=lambda row: (order.index(row.framing), row.ratio is None)))


def _figures(framing: str, peer: str, cells: Iterable[Cell]) -> Figures:
    sent = [cell for cell in cells if cell.sender == peer]
    received = [cell for cell in cells if cell.receiver == peer]
    ran = [cell.provenance.sender for cell in sent] + [cell.provenance.receiver for cell in received]
    return Figures(
        framing,
        peer,
        tuple(dict.fromkeys(provenance for provenance in ran if provenance)),
        tuple(dict.fromkeys(cell.corpus for cell in sent or received)),
        len(sent) + len(received),
        _quotient((cell.bytes_wire, cell.bytes_memory) for cell in sent),
        _quotient((cell.bytes_memory / 1e6, cell.seconds.encode) for cell in sent),
        _quotient((cell.bytes_memory / 1e6, cell.seconds.decode) for cell in received),
    )


def _quotient(pairs: Iterable[tuple[float, float | None]]) -> float | None:
    """Sum over sum, of those pairs whose second part was measured."""
    known = [(above, below) for above, below in pairs if below]
    return sum(above for above, _ in known) / sum(below for _, below in known) if known else None
