"""What becomes of a source after a migration that was cancelled, of either end when the other one quits, of one process
after many migrations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from multifd.lineup.peers import LineUp, QemuPeer
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import alike, qemu_cell, shared_methods
from multifd.plan.scenarios.lives import LIFETIMES

_EVERY: Final = ("cancel-active", "many-cancelled")
"""With every method: its threads are ended in the middle of their work."""
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "cancel-stalled": ("none",), "quit-source-active": ("zstd",), "quit-destination-active": ("zstd",)
}  # fmt: skip
"""Methods of the others, where it is not zlib."""
_MANY: Final = ("many-cancelled", "many-completed")
_OF_ONE: Final = (*_MANY, "cancel-connecting", "cancel-setup", "quit-source-connecting", "quit-source-setup")
"""Only the source is looked at, whoever the destination is."""
_CHANNELS: Final = 8
"""Where what each channel leaves behind is looked for."""


def lives(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every ordered pair."""
    for sender, receiver in alike(line_up):
        for scenario in LIFETIMES:
            for method in _methods(scenario.name, sender, receiver):
                channels = _CHANNELS if scenario.name in _MANY else 2
                cell = qemu_cell(sender, receiver, method, method, scenario=scenario.name, channels=channels)
                yield cell.model_copy(update={"prediction": _of_all(cell.prediction)})


def _of_all(prediction: Prediction) -> Prediction:
    """What one migration comes to, said of a life."""
    return replace(prediction, reason=f"every step ends as it was asked to, and no process dies; {prediction.reason}")


def _methods(scenario: str, sender: QemuPeer, receiver: QemuPeer) -> list[str]:
    shared = shared_methods(sender, receiver)
    if scenario in _OF_ONE and sender is not receiver:
        return []
    if scenario in _EVERY:
        return shared
    return [method for method in _METHODS.get(scenario, ("zlib",)) if method in shared]
