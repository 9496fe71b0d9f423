"""Counters of devices that are not there: files below the root of a recorded host, as drivers would show them.

Several processes work on one device: whoever adds to its counter holds a lock meanwhile. Every count has the same width
wherever it stands, so that a reader, who knows nothing of the lock, never sees half of one.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

_MOST: Final = 4096
"""Bytes of a file."""
_BEFORE: Final = 1_000_000
"""Jobs that a device has done since its host was started."""


@dataclass(frozen=True)
class Form:
    """How a driver shows a count."""

    file: str
    """By its path on the host."""
    text: Callable[[int], str]
    count: re.Pattern[str]
    """The count in it, the first group."""


def _unit(jobs: int) -> str:
    """Of an event that never had to share its counter: enabled all the time, running all the time (nanoseconds)."""
    now = time.monotonic_ns()
    return f"{jobs:20} {now:20} {now:20}\n"


FORMS: Final = {
    "QAT": Form(
        "sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters",
        lambda jobs: f"AE            Requests           Responses\n 0: {jobs:19} {jobs:19}\n",
        re.compile(r"^ 0: +\d+ +(\d+)$", re.MULTILINE),
    ),
    "IAA": Form("sys/bus/event_source/devices/iax1/recorded", _unit, re.compile(r"^ *(\d+) ")),
    "Kunpeng": Form(
        "sys/kernel/debug/hisi_zip/0000:75:00.0/comp_core0/regs",
        lambda jobs: f"HZIP_DONE_BD_NUM                = {jobs:#010x}\n",
        re.compile(r"^HZIP_DONE_BD_NUM += (0x[0-9a-f]+)$"),
    ),
}
"""By device: as drivers/crypto/intel/qat/qat_common/adf_fw_counters.c (Linux 6.18) and
drivers/crypto/hisilicon/zip/zip_main.c (Linux 6.18) show them. What stands for IAA's performance unit is multifd's own
(multifd/evidence/pmu.py)."""


class Counter:
    """The counter of one device below ``root``; raises OSError where it is not. Threads and processes share it."""

    def __init__(self, root: Path, form: Form) -> None:
        self._form = form
        self._descriptor = os.open(root / form.file, os.O_RDWR | os.O_CLOEXEC)
        self._lock = Lock()

    def add(self, jobs: int) -> None:
        """So many jobs were done."""
        self._change(lambda count: count + jobs)

    def reset(self) -> None:
        """As a device does that is taken down and up again."""
        self._change(lambda _: 0)

    def _change(self, change: Callable[[int], int]) -> None:
        with self._lock:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                found = self._form.count.search(os.pread(self._descriptor, _MOST, 0).decode())
                assert found is not None
                os.pwrite(self._descriptor, self._form.text(change(int(found[1], 0))).encode(), 0)
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)


def plant(root: Path, form: Form) -> None:
    """A counter as it stands on a host that has worked before."""
    file = root / form.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(form.text(_BEFORE), encoding="ascii")
