"""A device's own counts, through the kernel's performance events.

idxd shows no count of work in sysfs (``occupancy`` is a level, ``cr_faults`` counts faults); the device has counters,
and the kernel offers them as one system-wide PMU per device:
Documentation/ABI/testing/sysfs-bus-event_source-devices-dsa and drivers/dma/idxd/perfmon.c (Linux 6.18).

- Filters are in ``config1``, 60 bits. The driver writes a filter's register only where its bits are not all zero
  (``perfmon_pmu_event_start``): what a program before has left there goes on to filter. All ones lets everything pass.
- The unit has few counters. An event that has none is opened all the same, and gets its turn or never one:
  ``time_running`` then stays behind ``time_enabled`` (perf_event_open(2)).

No event can be opened on a recorded host. There the file ``recorded`` in the unit's directory stands for what a read of
the descriptor gives: ``COUNT ENABLED RUNNING``, decimal, the times in nanoseconds; or the name of the error with which
the kernel refuses (``EACCES``). It is read anew each time, so that a stand-in of the device may write it, whole by
rename.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from multifd.evidence.reading import Count

RECORDED: Final = "recorded"
"""File in the directory of a unit of a recorded host."""

_ATTRIBUTES: Final = struct.Struct("=IIQQQQQIIQ")
"""struct perf_event_attr, first published size (PERF_ATTR_SIZE_VER0), 64 bytes: it ends with ``config1``."""
_SAMPLE: Final = struct.Struct("=QQQ")
"""Value, time_enabled, time_running."""
_TIMES: Final = 1 | 2
"""PERF_FORMAT_TOTAL_TIME_ENABLED, PERF_FORMAT_TOTAL_TIME_RUNNING."""
_NO_FILTER: Final = (1 << 60) - 1
"""``config1`` by the driver's format attributes: wq 32 bits, tc 8, page size 4, transfer size 8, engine 8."""
_CALLS: Final = {"x86_64": 298, "aarch64": 241}
_EVERY_PROCESS: Final = -1
_NO_GROUP: Final = -1
_CLOSE_ON_EXEC: Final = 8


class Meter(Protocol):
    """An event that counts, until it is closed."""

    def read(self) -> Count:
        """The count now; raises OSError."""
        ...

    def close(self) -> None:
        """Count no more."""
        ...


class Opened:
    """An event that the kernel counts; raises OSError, EACCES without CAP_PERFMON (perf_event_paranoid above 0)."""

    def __init__(self, kind: int, config: int, cpu: int, config1: int = _NO_FILTER) -> None:
        self._descriptor: Final = _perf_event_open(kind, config, cpu, config1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def read(self) -> Count:
        """The count now; raises OSError, ENODATA where the kernel has given the event up."""
        sample = os.read(self._descriptor, _SAMPLE.size)
        if len(sample) < _SAMPLE.size:
            raise OSError(errno.ENODATA, os.strerror(errno.ENODATA))
        return Count(*_SAMPLE.unpack(sample))

    def close(self) -> None:
        """Count no more."""
        os.close(self._descriptor)


class Recorded:
    """The unit of a recorded host."""

    def __init__(self, unit: Path) -> None:
        self._file: Final = unit / RECORDED

    def read(self) -> Count:
        """What stands in the file; raises OSError where it is not there, says which, or says something else."""
        words = self._file.read_text(encoding="utf-8").split()
        if len(words) == len(fields(Count)) and all(word.isdecimal() for word in words):
            return Count(*map(int, words))
        code = getattr(errno, words[0] if len(words) == 1 else "EINVAL", errno.EINVAL)
        raise OSError(code, os.strerror(code))

    def close(self) -> None:
        """Nothing was opened."""


def _perf_event_open(kind: int, config: int, cpu: int, config1: int) -> int:
    """Start counting an event on behalf of every process."""
    call = _CALLS.get(platform.machine())
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    attributes = _ATTRIBUTES.pack(kind, _ATTRIBUTES.size, config, 0, 0, _TIMES, 0, 0, 0, config1)
    arguments = (ctypes.c_long(one) for one in (_EVERY_PROCESS, cpu, _NO_GROUP, _CLOSE_ON_EXEC))
    descriptor = int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(call), attributes, *arguments))
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor
