"""Threads of a peer are batch jobs, and so are those that they start."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from multifd.peer.turns import take_turns


def policies() -> tuple[int, int]:
    """Of a thread that takes turns, and of one that it starts."""
    take_turns()
    with ThreadPoolExecutor(1) as pool:
        return os.sched_getscheduler(0), pool.submit(os.sched_getscheduler, 0).result()


def test_a_thread_and_what_it_starts_are_batch_jobs() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(policies).result() == (os.SCHED_BATCH, os.SCHED_BATCH)
