"""What peers cost in two runs, where it differs by more than runs of the same software differ.

Cost is CPU seconds for each GiB of memory, of cells of suite ``wire`` that passed in both runs: only there is it known
that the right bytes came out. A row is one peer in one framing and role, as it ran; silicon, vendor library and
emulation are never added up. Each of its cells is compared with itself in the other run, so that content plays no part;
what several cells share (a sender encodes once, and many decode) counts once.

A host is faster or slower from one run to the next, for all rows together: that is the pace, and it is taken out. How
far the rows then lie apart is the noise; a row is beyond it if it lies further from the pace than :data:`SIGMAS` times
the noise and than :data:`LEAST`, and three of four of its cells say so too. Without :data:`ENOUGH` rows nobody knows
what the noise is, and between two processors nobody knows what the pace is: then nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import exp, log
from statistics import median, quantiles
from typing import Final, Literal, NamedTuple

from multifd.comparison.standing import Direction
from multifd.result.counted import counted
from multifd.result.record import Cell, Model, Provenance, Results, Role

SIGMAS: Final = 5.0
LEAST: Final = 1.25
"""A ratio: what differs by less is not worth a word."""
ENOUGH: Final = 8
"""Rows, and cells of a row are :data:`FEW` at least."""
FEW: Final = 3
NORMAL: Final = 1.4826
"""The standard deviation of a normal distribution, in median absolute deviations."""


class CostChange(Model):
    """One peer in one framing, whose cost differs by more than noise."""

    framing: str
    """What it encodes or decodes."""
    peer: str
    """Who."""
    role: Role
    """Encoding as sender, decoding as receiver."""
    provenance: Provenance | None
    """How it ran, in both runs."""
    before: float
    """CPU seconds for each GiB."""
    after: float
    """The same of the run after."""
    ratio: float
    """After to before, the host's pace taken out: the median of its cells."""
    lower: float
    """A quarter of its cells lies below."""
    upper: float
    """A quarter of its cells lies above."""
    cells: int
    """That were measured in both runs, each encoding once."""
    direction: Direction
    """Worse if it costs more."""


class Costs(Model):
    """All that can be said of cost."""

    pace: float | None
    """How much more everything cost in the run after, as a ratio; None where nobody can know it."""
    noise: float | None
    """What a row may differ by without meaning anything, as a ratio above 1; None as above."""
    rows: int
    """That were compared."""
    why: str | None
    """Why nothing is said, in words; None where something is."""
    changes: tuple[CostChange, ...] = ()
    """Beyond the noise, what costs more first."""


class _Row(NamedTuple):
    framing: str
    peer: str
    role: Role
    provenance: Provenance | None


class _Pair(NamedTuple):
    """One measurement in both runs: CPU seconds."""

    before: float
    after: float
    memory: int
    """Bytes."""


def costs(before: Results, after: Results) -> Costs:
    """Compare what both runs have measured."""
    hosts = tuple(run.run.host.get("cpu") for run in (before, after))
    if hosts[0] != hosts[1]:
        return Costs(pace=None, noise=None, rows=0, why=f"the processors differ: {hosts[0]}, {hosts[1]}")
    rows = {row: pairs for row, pairs in _rows(before, after).items() if len(pairs) >= FEW}
    if len(rows) < ENOUGH:
        few = f"{counted(len(rows), 'row')} with {FEW} cells or more in both runs; the noise shows with {ENOUGH}"
        return Costs(pace=None, noise=None, rows=len(rows), why=few)
    logs = {row: [log(pair.after / pair.before) for pair in pairs] for row, pairs in rows.items()}
    middles = [median(found) for found in logs.values()]
    pace = median(middles)
    spread = NORMAL * median(abs(middle - pace) for middle in middles)
    limit = max(log(LEAST), SIGMAS * spread)
    beyond = (_change(row, rows[row], [each - pace for each in found], limit) for row, found in logs.items())
    changed = sorted(filter(None, beyond), key=lambda change: -change.ratio)
    return Costs(pace=exp(pace), noise=exp(limit), rows=len(rows), why=None, changes=tuple(changed))


def _rows(before: Results, after: Results) -> Mapping[_Row, list[_Pair]]:
    was = {cell.id: cell for cell in _passed(before)}
    found: dict[_Row, dict[tuple[object, ...], _Pair]] = {}
    for now in _passed(after):
        if now.id in was:
            for row, what, pair in _measured(was[now.id], now):
                found.setdefault(row, {})[what] = pair
    return {row: list(pairs.values()) for row, pairs in found.items()}


def _passed(run: Results) -> Iterable[Cell]:
    return (cell for cell in run.cells if cell.suite == "wire" and cell.verdict == "pass")


def _measured(was: Cell, now: Cell) -> Iterator[tuple[_Row, tuple[object, ...], _Pair]]:
    """Rows that the cell is of, and what it has in common with others that were measured together."""
    roles: tuple[Literal["sender", "receiver"], ...] = ("sender", "receiver")
    for role in roles:
        one, other = getattr(was.cpu_seconds, role), getattr(now.cpu_seconds, role)
        kind = getattr(now.provenance, role)
        if one and other and one > 0 and other > 0 and now.bytes_memory and getattr(was.provenance, role) == kind:
            shared = (one, other) if role == "sender" else (now.id,)
            yield _Row(now.framing, getattr(now, role), role, kind), shared, _Pair(one, other, now.bytes_memory)


def _change(row: _Row, pairs: list[_Pair], logs: list[float], limit: float) -> CostChange | None:
    lower, middle, upper = quantiles(logs, n=4)
    if abs(middle) < limit or (lower if middle > 0 else -upper) < log(LEAST):
        return None
    memory = sum(pair.memory for pair in pairs) / (1 << 30)
    return CostChange(
        **row._asdict(),
        before=sum(pair.before for pair in pairs) / memory,
        after=sum(pair.after for pair in pairs) / memory,
        ratio=exp(middle),
        lower=exp(lower),
        upper=exp(upper),
        cells=len(pairs),
        direction="worse" if middle > 0 else "better",
    )
