"""What a fleet sets, or does not: defaults, zero-page modes, levels, numbers of channels, capabilities.

Defaults are every ordered pair's, method by method. The others change one end's part in a way that the other does not
see, so that every QEMU does them once as a sender and once as a receiver: in a ring, each to the next. Two depend on
the pair: 255 channels, and what comes of postcopy's capabilities.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp, QemuPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able
from multifd.plan.qemu.cell import qemu_cell, shared_methods
from multifd.plan.reference import reference
from multifd.plan.scenarios.settings import LEVELS, ON
from multifd.qemu.defaults import Defaults
from multifd.qemu.facts import common_machine

_CHANNELS: Final = (1, 3, 16)
"""Numbers in the ring."""
_UNEQUAL: Final = (("busy-more-channels", 3, 2), ("busy-fewer-channels", 2, 3))
"""Scenarios by the numbers that sender and receiver were told."""
_MOST: Final = 255
"""Channels: the parameter is one byte (``MigrateSetParameters``, qapi/migration.json, QEMU 5.0)."""
_OF_PAIRS: Final = tuple(name for name, capabilities in ON.items() if "postcopy-ram" in capabilities)
"""Few pairs let them be on beside multifd, and what comes of it depends on the machine type."""
_METHOD: Final = "zlib"
"""Where one must do: it keeps a stream, and every QEMU has it."""


def settings(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every QEMU."""
    everybody = line_up.qemus
    for sender, receiver in filter(_told, itertools.product(everybody, everybody)):
        for method in shared_methods(sender, receiver):
            yield _default_cell(sender, receiver, method, "defaults")
        if _METHOD in shared_methods(sender, receiver):
            for name in _OF_PAIRS:
                yield from _on(sender, receiver, name)
            yield _default_cell(sender, receiver, _METHOD, "channels", _MOST)
    yield from _to_ours(line_up)
    for sender in everybody:
        for method in sender.methods:
            for receiver in _next(line_up, sender, method):
                for level in LEVELS.get(method, ()):
                    yield _default_cell(sender, receiver, method, f"{method}-level-{level}")
                if method == _METHOD:
                    yield from _in_the_ring(sender, receiver)


def _next(line_up: LineUp, sender: QemuPeer, method: str) -> list[QemuPeer]:
    """The next one in the ring that has the method, at last the sender itself."""
    at = line_up.qemus.index(sender) + 1
    ring = (*line_up.qemus[at:], *line_up.qemus[:at])
    return [receiver for receiver in ring if method in receiver.methods and _told((sender, receiver))][:1]


def _in_the_ring(sender: QemuPeer, receiver: QemuPeer) -> Iterator[PlannedCell]:
    if sender.facts.zero_pages:
        yield qemu_cell(sender, receiver, _METHOD, _METHOD, scenario="migrate-none")
    for channels in _CHANNELS:
        yield _default_cell(sender, receiver, _METHOD, "channels", channels)
    for name, sent, read in _UNEQUAL:
        yield qemu_cell(sender, receiver, _METHOD, _METHOD, scenario=name, channels=sent, expects=read)
    for name in ON:
        if name not in _OF_PAIRS:
            yield from _on(sender, receiver, name)


def _told(pair: tuple[QemuPeer, QemuPeer]) -> bool:
    """Both have said what their common machine type's defaults are; where not, other cells of the pair say why."""
    return all(_untold(one, pair) is not None for one in pair)


def _untold(one: QemuPeer, pair: tuple[QemuPeer, QemuPeer]) -> Defaults | None:
    return one.defaults.get(common_machine(*(qemu.facts for qemu in pair)) or "")


def _default_cell(
    sender: QemuPeer, receiver: QemuPeer, method: str, scenario: str, channels: int | None = None
) -> PlannedCell:
    """One cell with so many channels at both ends, or with what each has by default."""
    sent, read = (
        channels or untold.channels
        for one in (sender, receiver)
        if (untold := _untold(one, (sender, receiver))) is not None
    )
    return qemu_cell(sender, receiver, method, method, scenario=scenario, channels=sent, expects=read)


def _to_ours(line_up: LineUp) -> Iterator[PlannedCell]:
    ours = next((peer for peer in line_up.receivers() if peer.name == reference(_METHOD)), None)
    for sender in line_up.qemus:
        if ours is not None and able(sender, ours, _METHOD, _METHOD):
            yield qemu_cell(sender, ours, _METHOD, _METHOD, scenario="migrate", channels=_MOST)


def _on(sender: QemuPeer, receiver: QemuPeer, name: str) -> Iterator[PlannedCell]:
    """Capabilities that both know, and let be on together."""
    pair = sender, receiver
    if not set(ON[name]) <= set(sender.facts.capabilities) & set(receiver.facts.capabilities):
        return
    cell = _default_cell(sender, receiver, _METHOD, name)
    if "postcopy-ram" not in ON[name]:
        yield cell
        return
    told = [untold for one in pair if (untold := _untold(one, pair)) is not None]
    if not all(untold.postcopy_beside_multifd for untold in told):
        return
    host = told[-1].no_postcopy
    if host is not None and cell.skip is None:
        remedy = "remedy: run as root, or set vm.unprivileged_userfaultfd to 1"
        cell = cell.model_copy(update={"skip": f"{receiver.name} refuses postcopy-ram: {host}; {remedy}"})
    yield cell
