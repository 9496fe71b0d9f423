"""Cells of what each QEMU refuses when it is told: methods that it lacks, values, capabilities that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.framing.model import METHOD_FRAMINGS
from multifd.lineup.peers import LineUp, QemuPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import qemu_cell
from multifd.plan.scenarios.refused import BEYOND, CLASHING

_METHOD: Final = "zlib"
"""That a capability is tried with."""


def refused(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of every QEMU, with itself."""
    for qemu in line_up.qemus:
        lacking = [method for method in METHOD_FRAMINGS if method not in qemu.facts.methods]
        for method in lacking:
            yield _itself(qemu, method, "lacking")
        for method in lacking[:1]:
            yield _itself(qemu, method, "lacking-global")
        if _METHOD not in qemu.methods:
            continue
        for scenario in ("global", *BEYOND):
            yield _itself(qemu, _METHOD, scenario)
        for capability in CLASHING:
            if capability in qemu.facts.capabilities:
                yield _itself(qemu, _METHOD, f"with-{capability}")
        if "zero-copy-send" in qemu.facts.capabilities:
            yield _itself(qemu, "none", "with-zero-copy-send-tls")


def _itself(qemu: QemuPeer, method: str, scenario: str) -> PlannedCell:
    return qemu_cell(qemu, qemu, method, method, scenario=scenario)
