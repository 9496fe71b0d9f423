"""Every QEMU to itself, its book-keeping held to what the newest promises: every other cell holds it to its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import qemu_cell

_METHOD: Final = "zlib"
"""Compressed bytes are others than those in memory, and every QEMU has it."""


def bookkeeping(line_up: LineUp) -> Iterator[PlannedCell]:
    """One cell for each QEMU."""
    for qemu in line_up.qemus:
        if _METHOD in qemu.methods:
            yield qemu_cell(qemu, qemu, _METHOD, _METHOD, scenario="book-keeping")
