"""A device's own counts, through the kernel's performance events.

idxd shows no count of work in sysfs (``occupancy`` is a level, ``cr_faults`` counts faults); the device has counters,
and the kernel offers them as one system-wide PMU per device:
Documentation/ABI/testing/sysfs-bus-event_source-devices-dsa and drivers/dma/idxd/perfmon.c (Linux 6.18).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Callable
from typing import Final

Opener = Callable[[int, int, int], int]
"""``(type, config, cpu) -> file descriptor``; raises OSError."""

COUNT: Final = struct.Struct("=Q")
"""What a read of the descriptor gives where no read_format is asked for (perf_event_open(2))."""

_ATTRIBUTES: Final = struct.Struct("=IIQQQQQIIQ")
"""struct perf_event_attr, first published size (PERF_ATTR_SIZE_VER0): 64 bytes."""
_CALLS: Final = {"x86_64": 298, "aarch64": 241}
_EVERY_PROCESS: Final = -1
_NO_GROUP: Final = -1
_CLOSE_ON_EXEC: Final = 8


def perf_event_open(kind: int, config: int, cpu: int) -> int:
    """Start counting an event on behalf of every process; raises OSError, EACCES without CAP_PERFMON."""
    call = _CALLS.get(platform.machine())
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    attributes = _ATTRIBUTES.pack(kind, _ATTRIBUTES.size, config, 0, 0, 0, 0, 0, 0, 0)
    arguments = (ctypes.c_long(one) for one in (_EVERY_PROCESS, cpu, _NO_GROUP, _CLOSE_ON_EXEC))
    descriptor = int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(call), attributes, *arguments))
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor
