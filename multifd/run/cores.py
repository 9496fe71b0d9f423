"""A core for the processes of a cell that work in turns.

Where a peer waits while the harness works and the other way round, nothing is gained by two cores: waking the other one
costs more than a switch, and what was just written lies in the wrong cache. Cells whose two ends work at the same time
are left alone: on one core they would hardly ever meet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress


def own_core(worker: int, workers: int) -> int | None:
    """The core of one of ``workers`` workers, counted from 0; None unless they are enough to use every core.

    With fewer of them the kernel has an idle core for whoever wakes, and knows better which.
    """
    cores = sorted(os.sched_getaffinity(0))
    return cores[worker % len(cores)] if workers >= len(cores) > 1 else None


@contextmanager
def sharing(core: int | None, pids: Iterable[int | None]) -> Iterator[None]:
    """Keep this thread and these processes on one core, if there is one to keep them on.

    Those that do not run yet, or no more, are left alone, and so are those that somebody has given cores of their own.
    """
    if core is None:
        yield
        return
    ours = os.sched_getaffinity(0)
    placed = [pid for pid in (0, *filter(None, pids)) if _place(pid, ours, {core})]
    try:
        yield
    finally:
        for pid in placed:
            _place(pid, {core}, ours)


def _place(pid: int, here: set[int], there: set[int]) -> bool:
    """Move it if this is where it is."""
    with suppress(OSError):
        if os.sched_getaffinity(pid) == here:
            os.sched_setaffinity(pid, there)
            return True
    return False
