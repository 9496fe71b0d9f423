"""Whole packets of zero pages, where there was content before: from every QEMU to every QEMU, with every method.

QEMU 9.0 to 9.2.0 never sent such packets under compression (commit cdc3970f85): both sides said completed, and the
pages kept their old content. A page here and there that becomes zero does not show it, for no packet is without content
then.
"""

from __future__ import annotations

from collections.abc import Iterator

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import alike, qemu_cell, shared_methods
from multifd.plan.scenarios.scenario import LEGACY


def zero_runs(line_up: LineUp) -> Iterator[PlannedCell]:
    """In packets where the sender can, and on the main channel, the only way before 9.0."""
    for sender, receiver in alike(line_up):
        for method in shared_methods(sender, receiver):
            for mode in ("", LEGACY) if sender.facts.zero_pages else ("",):
                yield qemu_cell(sender, receiver, method, method, scenario=f"zero-run{mode}")
