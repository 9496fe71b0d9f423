"""A guest that runs: every pair of QEMUs of a PC with every method of both, and under KVM once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import alike, qemu_cell, shared_methods
from multifd.qemu.arch import X86

_CONTENT: Final = "text"
"""No page of it is zero, and none becomes so when a byte of it changes."""


def running(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every ordered pair."""
    for sender, receiver in alike(line_up):
        if sender.facts.arch is not X86:
            continue  # its firmware is of a PC
        for method in shared_methods(sender, receiver):
            yield qemu_cell(sender, receiver, method, method, scenario="running", corpus=_CONTENT)
        if "zlib" in shared_methods(sender, receiver):
            yield qemu_cell(sender, receiver, "zlib", "zlib", scenario="running-kvm", corpus=_CONTENT)
