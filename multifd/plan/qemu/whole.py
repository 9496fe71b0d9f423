"""Every cell of the suite ``qemu``, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.bookkeeping import bookkeeping
from multifd.plan.qemu.contents import contents, of_user
from multifd.plan.qemu.faults import recorded_faults
from multifd.plan.qemu.large import large
from multifd.plan.qemu.lifetimes import lives
from multifd.plan.qemu.links import connections
from multifd.plan.qemu.ours import readable, spliced_in, to_ours
from multifd.plan.qemu.pairs import pairs
from multifd.plan.qemu.refused import refused
from multifd.plan.qemu.running import running
from multifd.plan.qemu.secure import secure
from multifd.plan.qemu.settings import settings
from multifd.plan.qemu.zero_runs import zero_runs


def qemu_plan(line_up: LineUp, *, memory: int = 0, seed: int = 1, user_corpus: bool = False) -> Iterator[PlannedCell]:
    """The cells of a line-up with QEMUs.

    ``memory`` is what large guests have at least, in bytes; ``seed`` and ``user_corpus`` as for peers of ours.
    """
    yield from pairs(line_up)
    yield from running(line_up)
    yield from to_ours(line_up)
    yield from spliced_in(line_up)
    yield from readable(line_up, "splice")
    yield from recorded_faults(line_up)
    yield from bookkeeping(line_up)
    yield from contents(line_up, seed)
    yield from zero_runs(line_up)
    yield from large(line_up, memory)
    if user_corpus:
        yield from of_user(line_up)
    yield from settings(line_up)
    yield from secure(line_up)
    yield from refused(line_up)
    yield from lives(line_up)
    yield from connections(line_up)
