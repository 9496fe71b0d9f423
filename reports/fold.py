"""A matrix as small as it can be: peers of one codec that ended alike with everybody stand in one row, or column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reports.matrix import Blank, Label, Matrix, Place, Row
from reports.vocabulary import word

Entry = Place | Blank | None


def folded(matrix: Matrix) -> Matrix:
    """The matrix with the shortest name of each such group, and how many more there are (``zlib +3``)."""
    rows = [row.places for row in matrix.rows]
    columns = list(zip(*rows, strict=True))
    kept_rows = _groups([row.label for row in matrix.rows], rows)
    kept_columns = _groups(matrix.columns, columns)
    return replace(
        matrix,
        rows=tuple(
            Row(label, tuple(rows[row][column] for column, _ in kept_columns)) for row, label in kept_rows
        ),
        columns=tuple(label for _, label in kept_columns),
    )  # fmt: skip


def _groups(labels: Sequence[Label], lines: Sequence[Sequence[Entry]]) -> list[tuple[int, Label]]:
    """Of each group the line that stands for it and its label, in the order of the first of each."""
    alike: dict[object, list[int]] = {}
    for at, (label, line) in enumerate(zip(labels, lines, strict=True)):
        alike.setdefault((label.name.partition("[")[0], label.marks, _ended(line)), []).append(at)
    found = []
    for places in alike.values():
        shortest = min(places, key=lambda at: (len(labels[at].name), at))
        more = f" +{len(places) - 1}" if len(places) > 1 else ""
        found.append((shortest, replace(labels[shortest], name=f"{labels[shortest].name}{more}")))
    return found


def _ended(line: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(word(entry.worst) if isinstance(entry, Place) else type(entry).__name__ for entry in line)
