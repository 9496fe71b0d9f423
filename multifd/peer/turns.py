"""A peer's threads do not interrupt each other.

The thread of a channel sleeps whenever it has nothing to read or no room to write. Each time it wakes the scheduler
would let it push aside whoever runs, mostly another channel in the middle of a packet, whose codec then finds its
tables out of the cache. Nobody waits for an answer of these threads, only for the end of their work.
"""

from __future__ import annotations

import os
from contextlib import suppress


def take_turns() -> None:
    """Run this thread, and all that it starts from now on, as a batch job (sched(7), ``SCHED_BATCH``)."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
