"""Whether the cells at hand are those that the run has planned: it says so itself, by digest and by count.

Who leaves cells out of a log or of a results file makes a run look better than it was. None of it can be seen from the
cells that are left.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from multifd.errors import InputError
from multifd.result.record import Cell, Run


def plan_digest(ids: Iterable[str]) -> str:
    """Of the ids of all planned cells, in whatever order: 64 bits in hexadecimal."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def check_planned(run: Run, cells: Collection[Cell], where: str) -> None:
    """Raises :class:`InputError`, which begins with ``where``, unless these are all planned cells, each once."""
    found = dict(Counter(cell.suite for cell in cells))
    if found != run.coverage.cells:
        raise InputError(
            f"{where}: by suite {_counts(found)}, expected {_counts(run.coverage.cells)} as run.coverage says"
        )
    twice = next((name for name, times in Counter(cell.id for cell in cells).items() if times > 1), None)
    if twice is not None:
        raise InputError(f"{where}: {twice!r} comes more than once, expected each planned cell once")
    digest = plan_digest(cell.id for cell in cells)
    if digest != run.plan:
        raise InputError(f"{where}: the digest of the ids is {digest!r}, expected {run.plan!r} as run.plan says")


def check_recorded(names: Iterable[str], plan: Collection[str], where: str) -> None:
    """Raises :class:`InputError`, which begins with ``where``, for the record of a cell that nobody planned."""
    for name in names:
        if name not in plan:
            raise InputError(f"{where}: record of {name!r}, expected one of the {len(plan)} planned cells")


def _counts(cells: Mapping[str, int]) -> str:
    return ", ".join(f"{suite} {count}" for suite, count in cells.items()) or "no cells"
