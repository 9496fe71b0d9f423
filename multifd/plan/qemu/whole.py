"""Every cell of the suite ``qemu``, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.faults import recorded_faults
from multifd.plan.qemu.links import connections
from multifd.plan.qemu.ours import readable, spliced_in, to_ours
from multifd.plan.qemu.pairs import pairs


def qemu_plan(line_up: LineUp) -> Iterator[PlannedCell]:
    """The cells of a line-up with QEMUs."""
    yield from pairs(line_up)
    yield from to_ours(line_up)
    yield from spliced_in(line_up)
    yield from readable(line_up, "splice")
    yield from recorded_faults(line_up)
    yield from connections(line_up)
