"""What a real QEMU's guest does to its memory before the switchover: what packets hold, how often a page changes."""

from __future__ import annotations

from functools import partial
from typing import Final

from multifd.plan.scenarios.scenario import Scenario, legacy

_guest = partial(Scenario, mode="qemu")
_QUARTER: Final = _guest(
    "quarter", "a quarter of the guest changes, some of it becomes zero, some zero pages get content", shape="guest",
    becomes_zero=True,
)  # fmt: skip
_THRICE: Final = _guest(
    "three-rounds", "pages change in the first round, which has a SYNC of its own, and again before the switchover",
    shape="guest", becomes_zero=True, early=True, parameters={"downtime_limit": 1},
)  # fmt: skip
"""A source goes on to the switchover when what is left takes less than ``downtime-limit`` milliseconds
(``migration_iteration_run``, migration/migration.c, QEMU 10.0): with the default, 300, what changed meanwhile would
travel in one round with the rest."""
_HALVES: Final = _guest("half-zero", "packets in which every second page is zero", shape="halves", becomes_zero=True)
_RUN: Final = _guest(
    "zero-run", "hundreds of consecutive pages become zero: whole packets of zero pages only", shape="zero-run",
    becomes_zero=True,
)  # fmt: skip
_LARGE: Final = _guest(
    "large", "a guest of 64 MiB, or of more with --memory; an eighth of it, or 64 MiB, has content", shape="spread",
    becomes_zero=True,
)  # fmt: skip

MEMORIES: Final = (
    _guest("one-page", "one page changes: a packet of one page", shape="one"),
    _guest("packet-and-one", "129 pages change: a full packet, and one page more", shape="packet-and-one"),
    *(each for scenario in (_QUARTER, _HALVES, _THRICE, _RUN, _LARGE) for each in (scenario, legacy(scenario))),
)
