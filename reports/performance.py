"""What encoding and decoding took, as a by-product of conformance: a hint where to measure, not a benchmark.

Figures are totals over the cells of suite "wire" with verdict pass, since only there is it known that the
right bytes came out. Ratio is bytes on the wire / bytes of memory, so smaller is better; speed is bytes of
memory / seconds as the peer measured, in MB/s (10**6 bytes); cost is CPU seconds for each GiB of memory.
A row is one peer as it ran: what silicon, a vendor library and an emulation took is never added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from multifd.result.record import Cell, Provenance, Results, Role
from reports.matrix import grouped

OWN: Final = "user"
"""The corpus of the user's own content (``--corpus``)."""
BROAD: Final = "mixed"
"""The corpus of ours that has something of every kind."""

Row = tuple[str, str, Provenance | None]
"""Framing, peer, and how the peer ran."""


@dataclass(frozen=True)
class Cost:
    """Of one peer in one framing, ratio and encoding as sender, decoding as receiver; None where it has no cell in
    that role, or did not measure."""

    ratio: float | None
    encode_cpu: float | None
    """Seconds for each GiB."""
    decode_cpu: float | None
    """Seconds for each GiB."""


@dataclass(frozen=True)
class Comparison:
    """One peer in one framing: the user's content beside ours, in pages of the same size."""

    framing: str
    peer: str
    provenance: Provenance | None
    corpora: tuple[str, ...]
    """Of ours: ``mixed`` where it was run."""
    ours: Cost
    yours: Cost


@dataclass(frozen=True)
class _Part:
    """The cells of a row, by what the peer is in them."""

    sent: Sequence[Cell]
    received: Sequence[Cell]

    @property
    def corpora(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.corpus for cell in self.sent or self.received))

    def cost(self) -> Cost:
        sent, received = self.sent, self.received
        return Cost(
            _quotient((cell.bytes_wire, cell.bytes_memory) for cell in sent),
            _quotient((cell.cpu_seconds.sender, cell.bytes_memory / (1 << 30)) for cell in sent),
            _quotient((cell.cpu_seconds.receiver, cell.bytes_memory / (1 << 30)) for cell in received),
        )


@dataclass(frozen=True)
class Spread:
    """Of one figure over cells: the least, the median and the most."""

    least: float
    median: float
    most: float


@dataclass(frozen=True)
class Point:
    """One peer in one framing and one role, over content of one kind."""

    framing: str
    peer: str
    provenance: Provenance | None
    role: Role
    corpus: str
    cells: int
    ratio: Spread | None
    cpu: Spread | None
    """Seconds for each GiB."""
    speed: Spread | None
    """MB/s."""


def points(results: Results) -> tuple[Point, ...]:
    """What each peer's work cost, by content: a framing's in the order of the plan, senders first."""
    passed = _passed(results)
    found = []
    for (framing, peer, provenance, corpus), cells in grouped(
        passed, lambda c: (c.framing, c.sender, c.provenance.sender, c.corpus)
    ).items():
        costs = [_costs(c, c.cpu_seconds.sender, c.seconds.encode) for c in cells]
        found.append(Point(framing, peer, provenance, "sender", corpus, len(cells), *_spreads(costs)))
    for (framing, peer, provenance, corpus), cells in grouped(
        passed, lambda c: (c.framing, c.receiver, c.provenance.receiver, c.corpus)
    ).items():
        costs = [_costs(c, c.cpu_seconds.receiver, c.seconds.decode) for c in cells]
        found.append(Point(framing, peer, provenance, "receiver", corpus, len(cells), *_spreads(costs)))
    return tuple(found)


def compared(results: Results) -> tuple[Comparison, ...]:
    """One row per framing, peer and provenance that had the user's content, by framing, senders first."""
    passed = _passed(results)
    yours = dict(_parts(cell for cell in passed if cell.corpus == OWN))
    sizes = {cell.page_size for cell in passed if cell.corpus == OWN}
    alike = [cell for cell in passed if cell.corpus != OWN and cell.page_size in sizes]
    ours = dict(_parts(alike)) | dict(_parts(cell for cell in alike if cell.corpus == BROAD))
    rows = []
    for row, part in yours.items():
        beside = ours.get(row, _Part((), ()))
        rows.append(Comparison(*row, beside.corpora, beside.cost(), part.cost()))
    order = list(dict.fromkeys(row.framing for row in rows))
    return tuple(sorted(rows, key=lambda row: (order.index(row.framing), row.yours.ratio is None)))


def _passed(results: Results) -> list[Cell]:
    return [cell for cell in results.cells if cell.suite == "wire" and cell.verdict == "pass"]


def _parts(cells: Iterable[Cell]) -> Iterator[tuple[Row, _Part]]:
    known = list(cells)
    sent = grouped(known, lambda cell: (cell.framing, cell.sender, cell.provenance.sender))
    received = grouped(known, lambda cell: (cell.framing, cell.receiver, cell.provenance.receiver))
    for row in dict.fromkeys((*sent, *received)):
        yield row, _Part(sent.get(row, []), received.get(row, []))


def _costs(cell: Cell, cpu: float | None, seconds: float | None) -> tuple[float | None, float | None, float | None]:
    """Ratio, CPU seconds for each GiB, MB/s; None for what was not measured."""
    memory = cell.bytes_memory
    if not memory:
        return None, None, None
    return (
        cell.bytes_wire / memory if cell.bytes_wire else None,
        cpu / (memory / (1 << 30)) if cpu else None,
        memory / 1e6 / seconds if seconds else None,
    )


def _spreads(costs: Sequence[tuple[float | None, ...]]) -> tuple[Spread | None, Spread | None, Spread | None]:
    ratio, cpu, speed = (_spread([one for one in column if one is not None]) for column in zip(*costs, strict=True))
    return ratio, cpu, speed


def _spread(values: Sequence[float]) -> Spread | None:
    return Spread(min(values), median(values), max(values)) if values else None


def _quotient(pairs: Iterable[tuple[float | None, float | None]]) -> float | None:
    """Sum over sum, of those pairs that were measured."""
    known = [(above, below) for above, below in pairs if above is not None and below]
    return sum(above for above, _ in known) / sum(below for _, below in known) if known else None
