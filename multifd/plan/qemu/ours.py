"""A QEMU and a peer of ours, at the end of a migration or in the splice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.peers import LineUp, QemuPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able
from multifd.plan.qemu.cell import qemu_cell, sent_methods
from multifd.plan.reference import reference
from multifd.qemu.facts import common_machine
from multifd.wire.dialect import LATEST, ZeroPages

_HIDDEN: Final = ("uadk", "qatzip")
"""Methods whose flag an old mask does not show."""
_CHANNELS: Final = (("splice", 2, 2), ("more-channels-spliced", 3, 2), ("fewer-channels-spliced", 2, 3))
"""Scenarios by the numbers that sender and receiver were told."""
_WAYS: Final[tuple[dict[str, Any], ...]] = (
    *({"scenario": "migrate", "channels": channels} for channels in (1, 3, 16)),
    *({"scenario": scenario} for scenario in ("return-path", "dirty-rounds")),
    *({"scenario": scenario} for scenario in ("migrate-legacy", "old-machine")),
)
"""Ways in which our receiver is migrated to, with one decoder for each method."""


def to_ours(line_up: LineUp) -> Iterator[PlannedCell]:
    """QEMU to our receivers."""
    yield from readable(line_up, "migrate")
    for sender, method in sent_methods(line_up):
        ours = next((p for p in line_up.receivers() if p.name == reference(method)), None)
        if ours is None or not able(sender, ours, method, method):
            continue
        for way in _WAYS:
            if way["scenario"] in ("migrate-legacy", "old-machine") and not sender.facts.zero_pages:
                continue  # it knows no other way
            if way["scenario"] == "old-machine" and _oldest_is_own(line_up, sender):
                continue
            yield qemu_cell(sender, ours, method, method, **way)


def spliced_in(line_up: LineUp) -> Iterator[PlannedCell]:
    """Our encoders before a real decoder: each framing that travels under the flag of a method it offers."""
    for receiver in line_up.qemus:
        for method, name in itertools.product(receiver.methods, FRAMINGS):
            if framing(name).travels_as != method or name == "qatzip-stub":
                continue
            for sender in line_up.senders():
                if able(sender, receiver, name, method):
                    yield qemu_cell(sender, receiver, name, method, scenario="splice")
        if receiver.facts.dialect.zero_pages is ZeroPages.MAIN:
            yield from _hidden(line_up, receiver)


def _hidden(line_up: LineUp, receiver: QemuPeer) -> Iterator[PlannedCell]:
    """Newer methods to a QEMU whose mask hides their flag, whether or not both sides have as many channels."""
    for method in _HIDDEN:
        sender = next((p for p in line_up.senders() if p.name == reference(method)), None)
        if sender is None or not able(sender, receiver, method, "none"):
            continue
        for scenario, channels, expects in _CHANNELS:
            yield qemu_cell(
                sender, receiver, method, "none", scenario=scenario, spoken=LATEST, channels=channels, expects=expects
            )


def readable(line_up: LineUp, scenario: str) -> Iterator[PlannedCell]:
    """Every method of a real QEMU, every decoder of ours that can read it."""
    for (sender, method), receiver in itertools.product(sent_methods(line_up), line_up.receivers()):
        if able(sender, receiver, method, method):
            cell = qemu_cell(sender, receiver, method, method, scenario=scenario)
            if cell.prediction.outcome == "identical":
                yield cell


def _oldest_is_own(line_up: LineUp, sender: QemuPeer) -> bool:
    """The run has no machine type that is older than the sender's own, or none that all binaries have."""
    oldest = common_machine(*(q.facts for q in line_up.qemus if q.facts.target == sender.facts.target))
    return oldest in (None, common_machine(sender.facts))
