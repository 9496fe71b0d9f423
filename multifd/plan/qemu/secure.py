"""Cells with TLS: every ordered pair, our peers behind a stage that speaks it, and what each QEMU refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp, QemuPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able
from multifd.plan.qemu.cell import alike, qemu_cell, shared_methods
from multifd.plan.reference import reference
from multifd.plan.scenarios.secure import INTERRUPTED, REFUSED

_METHOD: Final = "zlib"
"""Where one must do."""


def secure(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every QEMU."""
    for sender, receiver in alike(line_up):
        if _METHOD in shared_methods(sender, receiver):
            for scenario in ("tls-x509", "tls-psk"):
                yield _between(sender, receiver, scenario)
    for qemu in line_up.qemus:
        if "none" in qemu.methods:
            yield qemu_cell(qemu, qemu, "none", "none", scenario="tls-x509")
        if _METHOD in qemu.methods:
            for scenario in ("tls-tcp", *REFUSED, *INTERRUPTED):
                yield _between(qemu, qemu, scenario)
            yield from _ours(line_up, qemu)


def _between(sender: QemuPeer, receiver: QemuPeer, scenario: str) -> PlannedCell:
    return qemu_cell(sender, receiver, _METHOD, _METHOD, scenario=scenario)


def _ours(line_up: LineUp, qemu: QemuPeer) -> Iterator[PlannedCell]:
    """Our receiver, our encoder and our decoder of one method."""
    name = reference(_METHOD)
    receiver = next((peer for peer in line_up.receivers() if peer.name == name), None)
    sender = next((peer for peer in line_up.senders() if peer.name == name), None)
    if receiver is not None and able(qemu, receiver, _METHOD, _METHOD):
        for scenario in ("tls-x509", "tls-splice"):
            yield qemu_cell(qemu, receiver, _METHOD, _METHOD, scenario=scenario)
    if sender is not None and able(sender, qemu, _METHOD, _METHOD):
        yield qemu_cell(sender, qemu, _METHOD, _METHOD, scenario="tls-splice")
