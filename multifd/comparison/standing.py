"""What is worse than what, where one cell has two records.

Worse is what an engineer would rather not have: a verdict further to the right, silicon that became a model of it, a
proof that is none any more. Evidence that is lost is worse too: what was checked and is not now may be anything. A cell
that nobody plans any more is not worse; somebody decided that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from multifd.result.record import CONFORMING, KIND_ORDER, Cell, DeviceVerdict, Kind, Provenance, Verdict

Direction = Literal["worse", "better", "other"]

VERDICTS: Final[tuple[Verdict, ...]] = ("pass", "refused", "known", "hazard", "skip", "not-run", "error", "fail")
"""Good to bad: what was checked as reports rank it, then what was not, then what went wrong."""

PROVENANCES: Final[dict[Provenance, int]] = {"hardware": 0, "vendor-software": 1, "software": 1, "emulated": 2}
"""How near it is to the silicon: a model in the place of the real thing is the least of it."""

PROOFS: Final[tuple[DeviceVerdict, ...]] = (
    "proven", "fell-back", "unverified", "not claimed", "disturbed", "unproven",
)  # fmt: skip
"""Good to bad: how much is known of a device's work."""

CHECKED: Final = CONFORMING | {"fail"}
"""Verdicts of cells whose observation was compared with a prediction."""


def checked(cell: Cell | None) -> bool:
    """Something was observed in the cell, and judged."""
    return cell is not None and cell.verdict in CHECKED


def rank_of(verdict: Verdict, kind: Kind | None) -> tuple[int, int]:
    """Of a verdict, and of the kind where it is a failure: greater is worse."""
    worst = len(KIND_ORDER)
    return VERDICTS.index(verdict), worst - KIND_ORDER.index(kind) if verdict == "fail" and kind else 0


def of_verdicts(before: Cell, after: Cell) -> Direction:
    """From one record to the other."""
    return direction(rank_of(before.verdict, before.kind), rank_of(after.verdict, after.kind))


def of_provenances(before: Provenance | None, after: Provenance | None) -> Direction:
    """Of one end; what nobody knows is neither."""
    if before is None or after is None:
        return "other"
    return direction((PROVENANCES[before],), (PROVENANCES[after],))


def of_proofs(before: DeviceVerdict, after: DeviceVerdict) -> Direction:
    """From one device verdict to the other."""
    return direction((PROOFS.index(before),), (PROOFS.index(after),))


def direction(before: tuple[int, ...], after: tuple[int, ...]) -> Direction:
    """From one rank to another."""
    return "other" if after == before else "worse" if after > before else "better"


def overall(directions: Iterable[Direction]) -> Direction:
    """Of several together: what is worse in anything is worse."""
    found = set(directions)
    return "worse" if "worse" in found else "better" if "better" in found else "other"
