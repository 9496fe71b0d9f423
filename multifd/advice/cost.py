"""What a method cost in a run: CPU time beside that of sending the same content as it is.

A cell's CPU time has the start of both processes in it, so that only differences say something: each cell is held
against one with method ``none`` that had the same content in the same way, between the same QEMUs, and the median is
taken, for who ran beside it makes some of them dear. What peers of ours cost says little of what QEMU would.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from statistics import median
from typing import Final

from multifd.framing.model import METHOD_FRAMINGS
from multifd.result.record import Cell, Results

_NONE: Final = "none"
_GIB: Final = 1 << 30


def costs(results: Results) -> dict[str, float]:
    """CPU seconds of both ends for each GiB of memory, by method, beyond those of ``none``."""
    real = {peer.name for peer in results.peers if peer.kind == "qemu"}
    cells = [cell for cell in results.cells if _measured(cell) and {cell.sender, cell.receiver} <= real]
    plain = {_content(cell): cell for cell in cells if cell.framing == _NONE}
    spent: dict[str, list[float]] = defaultdict(list)
    for cell in cells:
        same = plain.get(_content(cell))
        took, would = _cpu(cell), _cpu(same) if same is not None else None
        if took is not None and would is not None:
            spent[cell.framing].append((took - would) / cell.bytes_memory * _GIB)
    return {method: max(median(each), 0.0) for method, each in spent.items()}


def _measured(cell: Cell) -> bool:
    return cell.verdict == "pass" and cell.framing in METHOD_FRAMINGS and cell.bytes_memory > 0


def _content(cell: Cell) -> Hashable:
    return (
        cell.sender, cell.receiver, cell.scenario, cell.corpus, cell.channels, cell.blocks, cell.bytes_memory
    )  # fmt: skip


def _cpu(cell: Cell) -> float | None:
    ends = cell.cpu_seconds.sender, cell.cpu_seconds.receiver
    return None if None in ends else sum(end for end in ends if end is not None)
