"""The kernel's performance events: opened for every process on one CPU, refused in the kernel's own words."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final

import pytest

from multifd.evidence import pmu

SOFTWARE: Final = 1
"""PERF_TYPE_SOFTWARE (include/uapi/linux/perf_event.h, Linux 6.18): events that need no hardware."""
CPU_CLOCK: Final = 0
"""PERF_COUNT_SW_CPU_CLOCK: nanoseconds, whoever runs."""
DUMMY: Final = 9
"""PERF_COUNT_SW_DUMMY: counts nothing."""


@pytest.fixture
def counting() -> Iterator[Callable[[int], int]]:
    """Start counting a software event on the first CPU; gives the descriptor."""
    with ExitStack() as stack:

        def start(config: int) -> int:
            try:
                descriptor = pmu.perf_event_open(SOFTWARE, config, 0)
            except PermissionError:
                pytest.skip("this user may not count events of every process (CAP_PERFMON)")
            stack.callback(os.close, descriptor)
            return descriptor

        yield start


def count(descriptor: int) -> int:
    (value,) = pmu.COUNT.unpack(os.read(descriptor, pmu.COUNT.size))
    return int(value)


def test_an_event_counts_for_whoever_runs(counting: Callable[[int], int]) -> None:
    clock = counting(CPU_CLOCK)

    before = count(clock)
    time.sleep(0.02)

    assert count(clock) - before >= 10_000_000


def test_an_event_is_the_one_that_was_asked_for(counting: Callable[[int], int]) -> None:
    dummy = counting(DUMMY)
    time.sleep(0.001)

    assert count(dummy) == 0


def test_no_child_inherits_the_counter(counting: Callable[[int], int]) -> None:
    assert not os.get_inheritable(counting(CPU_CLOCK))


@pytest.mark.parametrize(("kind", "cpu"), [(1 << 30, 0), (SOFTWARE, 1 << 20)], ids=["no such unit", "no such CPU"])
def test_what_the_kernel_refuses_is_told_with_its_reason(kind: int, cpu: int) -> None:
    with pytest.raises(OSError) as caught:
        pmu.perf_event_open(kind, CPU_CLOCK, cpu)

    assert caught.value.errno
    assert caught.value.strerror == os.strerror(caught.value.errno)


def test_a_machine_whose_call_is_not_known_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(OSError) as caught:
        pmu.perf_event_open(SOFTWARE, CPU_CLOCK, 0)

    assert caught.value.errno == errno.ENOSYS
