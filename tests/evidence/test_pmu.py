"""The kernel's performance events: opened for every process on one CPU, refused in the kernel's own words."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from multifd.evidence.pmu import Opened, Recorded
from multifd.evidence.reading import Count

SOFTWARE: Final = 1
"""PERF_TYPE_SOFTWARE (include/uapi/linux/perf_event.h, Linux 6.18): events that need no hardware."""
CPU_CLOCK: Final = 0
"""PERF_COUNT_SW_CPU_CLOCK: nanoseconds, whoever runs."""
DUMMY: Final = 9
"""PERF_COUNT_SW_DUMMY: counts nothing."""
DISABLE: Final = 0x2401
"""PERF_EVENT_IOC_DISABLE."""


class Kernel:
    """One that opens whatever it is asked for, and never counts."""

    attributes = b""

    def syscall(self, call: object, attributes: bytes, *_: object) -> int:
        self.attributes = attributes
        return os.open(os.devnull, os.O_RDONLY)


@pytest.fixture
def counting() -> Iterator[Callable[[int], Opened]]:
    """Start counting a software event on the first CPU."""
    with ExitStack() as stack:

        def start(config: int) -> Opened:
            try:
                return stack.enter_context(Opened(SOFTWARE, config, 0))
            except PermissionError:
                pytest.skip("this user may not count events of every process (CAP_PERFMON)")

        yield start


def test_an_event_counts_for_whoever_runs(counting: Callable[[int], Opened]) -> None:
    clock = counting(CPU_CLOCK)

    before = clock.read()
    time.sleep(0.02)

    assert clock.read().jobs - before.jobs >= 10_000_000


def test_an_event_is_the_one_that_was_asked_for(counting: Callable[[int], Opened]) -> None:
    dummy = counting(DUMMY)
    time.sleep(0.001)

    assert dummy.read().jobs == 0


def test_an_event_says_for_how_long_it_was_to_count_and_did(counting: Callable[[int], Opened]) -> None:
    dummy = counting(DUMMY)

    before = dummy.read()
    time.sleep(0.02)
    after = dummy.read()

    assert after.enabled - before.enabled >= 10_000_000
    assert after.enabled == after.running


def test_an_event_that_is_stopped_counts_no_time(counting: Callable[[int], Opened]) -> None:
    dummy = counting(DUMMY)
    fcntl.ioctl(dummy, DISABLE)

    before = dummy.read()
    time.sleep(0.01)

    assert dummy.read() == before


def test_no_child_inherits_the_counter(counting: Callable[[int], Opened]) -> None:
    assert not os.get_inheritable(counting(CPU_CLOCK).fileno())


def test_a_counter_is_closed_with_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Kernel())

    with Opened(21, 0x10, 0) as event:
        os.fstat(event.fileno())

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(event.fileno())


@pytest.mark.parametrize(("kind", "cpu"), [(1 << 30, 0), (SOFTWARE, 1 << 20)], ids=["no such unit", "no such CPU"])
def test_what_the_kernel_refuses_is_told_with_its_reason(kind: int, cpu: int) -> None:
    with pytest.raises(OSError) as caught:
        Opened(kind, CPU_CLOCK, cpu)

    assert caught.value.errno
    assert caught.value.strerror == os.strerror(caught.value.errno)


def test_a_machine_whose_call_is_not_known_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(OSError) as caught:
        Opened(SOFTWARE, CPU_CLOCK, 0)

    assert caught.value.errno == errno.ENOSYS


def test_every_filter_lets_everything_pass_whatever_was_left_in_its_register(monkeypatch: pytest.MonkeyPatch) -> None:
    # drivers/dma/idxd/perfmon.c (Linux 6.18): a filter whose bits are all zero is not written.
    kernel = Kernel()
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: kernel)

    Opened(21, 0x10, 0).close()

    attributes = kernel.attributes
    kind, size, config = struct.unpack_from("=IIQ", attributes)
    (config1,) = struct.unpack_from("=Q", attributes, 56)
    assert (kind, size, config, len(attributes)) == (21, 64, 0x10, 64)
    for first, width in ((0, 32), (32, 8), (40, 4), (44, 8), (52, 8)):
        assert config1 >> first & (1 << width) - 1 == (1 << width) - 1
    assert config1 >> 60 == 0
    # Nothing else is asked for but both times (read_format 3): no sampling, no flag.
    assert attributes == struct.pack("=IIQQQQQIIQ", 21, 64, 0x10, 0, 0, 3, 0, 0, 0, config1)


def test_an_event_that_the_kernel_gave_up_has_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Kernel())

    with Opened(21, 0x10, 0) as gone, pytest.raises(OSError) as caught:
        gone.read()

    assert caught.value.errno == errno.ENODATA


def test_a_recorded_unit_gives_what_stands_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "recorded").write_text("12 345 344\n")

    assert Recorded(tmp_path).read() == Count(12, 345, 344)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("EACCES", errno.EACCES),
        ("ENODEV\n", errno.ENODEV),
        ("EWHATEVER", errno.EINVAL),
        ("", errno.EINVAL),
        ("12", errno.EINVAL),
        ("12 345", errno.EINVAL),
        ("12 345 344 1", errno.EINVAL),
        ("12 345 x", errno.EINVAL),
        ("-1 2 2", errno.EINVAL),
        ("EACCES EACCES", errno.EINVAL),
        (None, errno.ENOENT),
    ],
)
def test_a_recorded_unit_refuses_as_its_file_says(tmp_path: Path, content: str | None, code: int) -> None:
    if content is not None:
        (tmp_path / "recorded").write_text(content)

    with pytest.raises(OSError) as caught:
        Recorded(tmp_path).read()

    assert (caught.value.errno, caught.value.strerror) == (code, os.strerror(code))
