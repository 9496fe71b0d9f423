"""QEMU to QEMU: every ordered pair, method by method; and what a busy destination does to a mismatch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp, QemuPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import alike, qemu_cell, shared_methods
from multifd.qemu.arch import Q35
from multifd.qemu.facts import common_machine

_UNEQUAL: Final = (("fewer-channels", 2, 3), ("more-channels", 3, 2))
"""Scenarios by the numbers of channels that sender and receiver were told."""


def pairs(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every ordered pair."""
    for sender, receiver in alike(line_up):
        for sent, read in itertools.product(sender.methods, receiver.methods):
            for mode in _modes(sender):
                yield qemu_cell(sender, receiver, sent, read, scenario="migrate" + mode)
        yield from _unequal(sender, receiver)
        yield from _busy(sender, receiver)
        for method in shared_methods(sender, receiver):
            for scenario in ("return-path", "tcp"):
                yield qemu_cell(sender, receiver, method, method, scenario=scenario)
        if "zlib" in shared_methods(sender, receiver) and common_machine(sender.facts, receiver.facts, family=Q35):
            yield qemu_cell(sender, receiver, "zlib", "zlib", scenario="q35")


def _unequal(sender: QemuPeer, receiver: QemuPeer) -> Iterator[PlannedCell]:
    """Every method that both have, and one pair that does not fit: who counts channels looks at no method.

    Where zero pages travel makes no difference either, and is tried with one method.
    """
    shared = shared_methods(sender, receiver)
    unlike = ((sent, read) for sent, read in itertools.product(sender.methods, receiver.methods) if sent != read)
    told = [*((method, method) for method in shared), *itertools.islice(unlike, 1)]
    for (name, channels, expects), (sent, read) in itertools.product(_UNEQUAL, told):
        for mode in _modes(sender) if sent == read == shared[0] else ("",):
            yield qemu_cell(sender, receiver, sent, read, scenario=name + mode, channels=channels, expects=expects)


def _busy(sender: QemuPeer, receiver: QemuPeer) -> Iterator[PlannedCell]:
    """One pairing that fits and one that does not."""
    for sent, read in (("zlib", "zlib"), ("zlib", "zstd")):
        if sent in sender.methods and read in receiver.methods:
            for scenario in ("busy-destination", "busy-return-path"):
                yield qemu_cell(sender, receiver, sent, read, scenario=scenario)


def _modes(sender: QemuPeer) -> tuple[str, ...]:
    """Endings of the scenarios' names: of a sender before 9.0 legacy is all it knows."""
    return ("", "-legacy") if sender.facts.zero_pages else ("",)
