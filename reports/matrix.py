"""Matrices and listings: which cells are shown where.

Every cell has exactly one *place*: an entry of a matrix, or of a listing where it fits no matrix. A place shows its
worst cell, because one wrong page outweighs any number of right ones, and says how many cells stand behind it. Where a
peer cannot do what its row or column is about there is no cell, and a *blank* that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from multifd.result.badness import badness
from multifd.result.record import Cell, Provenance, Role, Unable
from reports.vocabulary import PROVENANCES

K = TypeVar("K")
Key = tuple[str, str]
"""Of a row or column: its name, and what stands below that."""


@dataclass(frozen=True)
class Label:
    """Name of a row or column; ``marks`` is how the peers of that side ran."""

    name: str
    note: str = ""
    marks: tuple[Provenance, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where cells are shown together, worst first; never empty."""

    cells: tuple[Cell, ...]

    @property
    def worst(self) -> Cell:
        return self.cells[0]

    @property
    def alike(self) -> int:
        """How many of the cells are as bad as the worst."""
        return sum(badness(cell) == badness(self.worst) for cell in self.cells)


@dataclass(frozen=True)
class Blank:
    """Where there is no cell, because a peer says that it cannot."""

    why: str


@dataclass(frozen=True)
class Row:
    """One row of a matrix; None where nothing was planned."""

    label: Label
    places: tuple[Place | Blank | None, ...]


@dataclass(frozen=True)
class Matrix:
    """Places by row and column; ``axes`` says what these are."""

    title: str
    axes: tuple[str, str]
    columns: tuple[Label, ...]
    rows: tuple[Row, ...]
    marked: bool = False
    """True if neither axis is a side, so that each place has to say how its peers ran."""

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(place for row in self.rows for place in row.places if isinstance(place, Place))


@dataclass(frozen=True)
class Listing:
    """Cells that fit no matrix, one place each."""

    title: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Axis:
    """How cells are spread along one axis of a matrix, and whose provenance the labels show."""

    name: str
    key: Callable[[Cell], Key]
    side: Role | None = None

    def ran(self, cell: Cell) -> Provenance | None:
        """How the peer of this side ran; None for what is no side."""
        return getattr(cell.provenance, self.side) if self.side else None


def matrix(
    title: str,
    cells: Collection[Cell],
    rows: Axis,
    columns: Axis,
    rank: Callable[[Key], int] | None = None,
    unable: Iterable[Unable] = (),
) -> Matrix:
    """Cells by row and column, in the order of the plan unless there is a ``rank``.

    Where peers stand on the axes, those that are ``unable`` get a row or a column of blanks.
    """
    cannot = {(entry.role, (entry.peer, "")): _why(entry) for entry in unable}
    by_row: dict[Key, set[Provenance | None]] = {}
    by_column: dict[Key, set[Provenance | None]] = {}
    numbers: dict[Key, int] = {}
    met: dict[Key, dict[int, list[Cell]]] = {}
    for cell in cells:
        row, column = rows.key(cell), columns.key(cell)
        by_row.setdefault(row, set()).add(rows.ran(cell))
        by_column.setdefault(column, set()).add(columns.ran(cell))
        met.setdefault(row, {}).setdefault(numbers.setdefault(column, len(numbers)), []).append(cell)
    places = {row: {number: Place(worst_first(line.pop(number))) for number in list(line)} for row, line in met.items()}
    for role, key in cannot:
        for found, axis in ((by_row, rows), (by_column, columns)):
            if role == axis.side:
                found.setdefault(key, set())
    row_keys = sorted(by_row, key=rank) if rank else list(by_row)
    column_keys = sorted(by_column, key=rank) if rank else list(by_column)

    def entry(row: Key, column: Key) -> Place | Blank | None:
        why = cannot.get(("sender", row)) or cannot.get(("receiver", column))
        return places.get(row, {}).get(numbers.get(column, -1)) or (Blank(why) if why else None)

    return Matrix(
        title,
        (rows.name, columns.name),
        tuple(Label(*key, _in_order(by_column[key])) for key in column_keys),
        tuple(
            Row(Label(*row, _in_order(by_row[row])), tuple(entry(row, column) for column in column_keys))
            for row in row_keys
        ),
        marked=rows.side is None,
    )


def listings(cells: Iterable[Cell], key: Callable[[Cell], str]) -> tuple[Listing, ...]:
    """Cells by a title."""
    return tuple(
        Listing(title, tuple(Place((cell,)) for cell in group)) for title, group in grouped(cells, key).items()
    )


def grouped(cells: Iterable[Cell], key: Callable[[Cell], K]) -> dict[K, list[Cell]]:
    """Cells by key, in the order in which the keys first appear."""
    groups: dict[K, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return groups


def worst_first(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Silent corruption first, passes last."""
    return tuple(sorted(cells, key=badness))


def provenances(cells: Iterable[Cell]) -> tuple[Provenance, ...]:
    """How the peers on either side of the cells ran."""
    return _in_order({side for cell in cells for side in (cell.provenance.sender, cell.provenance.receiver)})


_VERBS: dict[Role, Literal["send", "receive"]] = {"sender": "send", "receiver": "receive"}


def _why(entry: Unable) -> str:
    return f"{entry.peer} cannot {_VERBS[entry.role]} {entry.framing}: {entry.reason}"


def _in_order(seen: Collection[Provenance | None]) -> tuple[Provenance, ...]:
    return tuple(provenance for provenance in PROVENANCES if provenance in seen)
