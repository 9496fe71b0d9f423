"""What becomes of a source after a migration that was cancelled, of either end when the other one quits, of one process
after many migrations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from multifd.lineup.peers import LineUp, QemuPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import qemu_cell, shared_methods
from multifd.plan.scenarios.lifetimes import LIFETIMES

_EVERY: Final = ("cancel-active",)
"""With every method: its threads are ended in the middle of their work."""
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "cancel-stalled": ("none",), "quit-source-active": ("zstd",), "quit-destination-active": ("zstd",)
}  # fmt: skip
"""Methods of the others, where it is not zlib."""
_OF_ONE: Final = ("many-cancelled", "many-completed")
"""Only the source is looked at: to itself, and with every method."""


def lives(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every ordered pair."""
    for sender, receiver in itertools.product(line_up.qemus, line_up.qemus):
        for scenario in LIFETIMES:
            for method in _methods(scenario.name, sender, receiver):
                yield qemu_cell(sender, receiver, method, method, scenario=scenario.name)


def _methods(scenario: str, sender: QemuPeer, receiver: QemuPeer) -> list[str]:
    shared = shared_methods(sender, receiver)
    if scenario in _OF_ONE and sender is not receiver:
        return []
    if scenario in (*_OF_ONE, *_EVERY):
        return shared
    return [method for method in _METHODS.get(scenario, ("zlib",)) if method in shared]
