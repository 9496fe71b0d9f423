"""Threads of a peer are batch jobs, and so are those that they start."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from multifd.peer.client import PeerProcess
from multifd.peer.nursery import PROGRAM, Nursery
from multifd.peer.turns import take_turns
from multifd.process.child import Start, execute
from multifd.process.python import ENVIRONMENT


def policies() -> tuple[int, int]:
    """Of a thread that takes turns, and of one that it starts."""
    take_turns()
    with ThreadPoolExecutor(1) as pool:
        return os.sched_getscheduler(0), pool.submit(os.sched_getscheduler, 0).result()


def test_a_thread_and_what_it_starts_are_batch_jobs() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(policies).result() == (os.SCHED_BATCH, os.SCHED_BATCH)


@pytest.mark.parametrize("starter", [lambda _: execute, lambda nursery: nursery.start], ids=["executed", "forked"])
def test_our_peers_take_turns(starter: Callable[[Nursery], Start]) -> None:
    with Nursery() as nursery, ExitStack() as stack:
        peer = PeerProcess("none", (*PROGRAM, "none"), ENVIRONMENT, starter(nursery))
        stack.callback(peer.quit)
        peer.hello(30)

        assert peer.pid is not None
        assert os.sched_getscheduler(peer.pid) == os.SCHED_BATCH
