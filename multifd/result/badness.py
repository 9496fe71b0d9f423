"""Which of two records is worse: the order in which reports show them, and which one a run keeps; and of two ends.

A worse record of a cell is never replaced by a better one. A cell that crashed its worker and passes when it is run
again has crashed; what happened later does not undo it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from multifd.result.record import KIND_ORDER, VERDICT_ORDER, Cell, DeviceVerdict, DeviceWork, Kind

_VERDICTS: Final = {verdict: rank for rank, verdict in enumerate(VERDICT_ORDER)}
_KINDS: Final[dict[Kind | None, int]] = {kind: rank for rank, kind in enumerate((*KIND_ORDER, None))}
_PROOFS: Final[tuple[DeviceVerdict, ...]] = (
    "unproven", "disturbed", "unverified", "proven", "fell-back", "not claimed",
)  # fmt: skip


def badness(cell: Cell) -> tuple[int, int]:
    """A sort key: the worst verdict first, and of one verdict the worst kind."""
    return _VERDICTS[cell.verdict], _KINDS[cell.kind]


def worse(before: Cell, after: Cell) -> Cell:
    """The worse of two records of one cell, of equally bad ones the later; ``not-run`` is no record."""
    if "not-run" in (before.verdict, after.verdict):
        return before if after.verdict == "not-run" else after
    return min(after, before, key=badness)


def worst(work: Iterable[DeviceWork]) -> DeviceVerdict:
    """Of all ends: what is unproven on one is unproven."""
    return min((each.verdict for each in work), key=_PROOFS.index, default="not claimed")
