"""The matrix of methods: what a QEMU that is set to one method sends, to a QEMU that is set to the same or another.

It has the methods and versions of releases only, and of every suite the cells that are plain migrations: no fault, no
odd channels, nothing cut, and at both ends a real QEMU or the codec that does what QEMU does under the method; what
other libraries make of it is in the matrices of framings. Versions of one method that ended alike stand in one row, and
in one column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from multifd.advice.parties import stand_for
from multifd.result.record import Cell, Results
from reports.matrix import grouped, worst_first
from reports.vocabulary import DIALECTS, PROPOSED_DIALECT, RELEASED, released, versions, word

PLAIN: Final = ("capture", "live", "migrate", "migrate-legacy", "defaults", "probe")
"""Scenarios in which a guest is migrated and nothing else is done."""
_UNRUN: Final = ("not-run", "skip")

Key = tuple[str, str]
"""Method, and dialect."""


@dataclass(frozen=True)
class Side:
    """A row or a column: a method, and the dialects of the versions that stand together."""

    method: str
    dialects: tuple[str, ...]

    @property
    def versions(self) -> str:
        return versions(self.dialects[0], self.dialects[-1])


@dataclass(frozen=True)
class Met:
    """Where two sides meet: how many cells ended how, worst first; never empty."""

    cells: tuple[Cell, ...]

    @property
    def worst(self) -> Cell:
        """Of those that were run, if any was."""
        return next((cell for cell in self.cells if cell.verdict not in _UNRUN), self.cells[0])

    @property
    def ran(self) -> int:
        """How many were run; all of them if none was."""
        return sum(cell.verdict not in _UNRUN for cell in self.cells) or len(self.cells)

    @property
    def alike(self) -> int:
        return sum(word(cell) == word(self.worst) for cell in self.cells)


@dataclass(frozen=True)
class Methods:
    """Rows are senders, columns receivers; None where nothing was planned."""

    rows: tuple[Side, ...]
    columns: tuple[Side, ...]
    places: tuple[tuple[Met | None, ...], ...]


def methods(results: Results) -> Methods | None:
    """The matrix of a run; None where it has no cell for it."""
    qemus = frozenset(peer.name for peer in results.peers if peer.kind == "qemu")
    plain = [cell for cell in results.cells if _plain(cell) and _own(cell, qemus)]
    if not plain:
        return None
    met = {key: Met(worst_first(cells)) for key, cells in grouped(plain, _ends).items()}
    sent, received = _in_order(row for row, _ in met), _in_order(column for _, column in met)
    rows = _alike(sent, lambda key: [_said(met.get((key, column))) for column in received])
    columns = _alike(received, lambda key: [_said(met.get((row, key))) for row in sent])
    return Methods(
        tuple(rows), tuple(columns), tuple(tuple(_together(met, row, column) for column in columns) for row in rows)
    )


def _plain(cell: Cell) -> bool:
    return cell.scenario in PLAIN and released(cell.framing) and PROPOSED_DIALECT not in cell.dialect.split(">")


def _own(cell: Cell, qemus: frozenset[str]) -> bool:
    """Of two methods flags and masks decide, whoever would decode."""
    sent, received = _sides(cell.framing)
    return cell.sender in qemus | stand_for(sent) and (sent != received or cell.receiver in qemus | stand_for(received))


def _ends(cell: Cell) -> tuple[Key, Key]:
    (sent, received), (old, new) = _sides(cell.framing), _sides(cell.dialect)
    return (sent, old), (received, new)


def _sides(text: str) -> tuple[str, str]:
    sender, _, receiver = text.partition(">")
    return sender, receiver or sender


def _in_order(keys: Iterable[Key]) -> list[Key]:
    dialects = list(DIALECTS)
    return sorted(
        dict.fromkeys(keys),
        key=lambda key: (RELEASED.index(key[0]), dialects.index(key[1]) if key[1] in dialects else len(dialects)),
    )


def _said(met: Met | None) -> str | None:
    return None if met is None else word(met.worst)


def _alike(keys: Sequence[Key], line: Callable[[Key], list[str | None]]) -> list[Side]:
    """Neighbours of one method that nowhere ended differently; where one of them was not tried the other speaks."""
    sides: list[Side] = []
    before: list[str | None] = []
    for method, dialect in keys:
        now = line((method, dialect))
        pairs = list(zip(before, now, strict=False))
        if sides and sides[-1].method == method and all(a == b or None in (a, b) for a, b in pairs):
            sides[-1] = Side(method, (*sides[-1].dialects, dialect))
            before = [a if b is None else b for a, b in pairs]
        else:
            sides.append(Side(method, (dialect,)))
            before = now
    return sides


def _together(met: dict[tuple[Key, Key], Met], row: Side, column: Side) -> Met | None:
    parts = [
        met.get(((row.method, sent), (column.method, received)))
        for sent in row.dialects
        for received in column.dialects
    ]
    cells = [cell for part in parts if part is not None for cell in part.cells]
    return Met(worst_first(cells)) if cells else None
