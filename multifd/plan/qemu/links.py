"""Migrations over connections that misbehave: every way for each receiver, the controls for each pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able
from multifd.plan.qemu.cell import alike, qemu_cell, shared_methods
from multifd.plan.reference import reference
from multifd.plan.scenarios.connections import LINKS

_METHOD: Final = "zlib"
_CONTROLS: Final = ("stalled-channel", "reversed-connections")
"""Slow or out of order, and right: for each pair."""
_RAW: Final = ("stalled-channel", "main-last")
"""Where a receiver of pages as they are might do something else."""
_OURS: Final = (
    "stalled-channel", "slow-link", "late-channel", "reversed-connections", "main-last", "cut-before-init",
    "cut-in-init", "cut-in-header", "cut-in-payload", "cut-at-end", "stranger-leaves", "stranger-garbage",
)  # fmt: skip


def connections(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every pair, every QEMU, and our receiver."""
    for sender, receiver in alike(line_up):
        if _METHOD in shared_methods(sender, receiver):
            for name in LINKS if sender == receiver else _CONTROLS:
                yield qemu_cell(sender, receiver, _METHOD, _METHOD, scenario=name)
        if sender == receiver:
            for name in _RAW:
                yield qemu_cell(sender, receiver, "none", "none", scenario=name)
    ours = next((peer for peer in line_up.receivers() if peer.name == reference(_METHOD)), None)
    if ours is not None and line_up.qemus and able(line_up.qemus[-1], ours, _METHOD, _METHOD):
        for name in _OURS:
            yield qemu_cell(line_up.qemus[-1], ours, _METHOD, _METHOD, scenario=name)
