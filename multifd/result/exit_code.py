"""The contract's exit code of a run, from the verdicts of its cells."""

from __future__ import annotations

from collections.abc import Iterable

from multifd.result.record import CONFORMING, Cell


def exit_code(cells: Iterable[Cell], *, interrupted: bool) -> int:
    """0 conforming, 1 not conforming, 3 the environment broke; a run that checked nothing is not conforming."""
    verdicts = [cell.verdict for cell in cells]
    if "fail" in verdicts:
        return 1
    if interrupted or "error" in verdicts:
        return 3
    return 0 if any(verdict in CONFORMING for verdict in verdicts) else 1
