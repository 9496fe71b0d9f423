"""What the threads of a process are doing, by proc(5): ``/proc/PID/task/TID/stat``.

State ``R`` is running or wanting to, on a host whose cores are all taken too; ``D`` waits for a disk. CPU time is in
ticks of 10 ms, so that who only looks at a clock now and then does not seem to work.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_AWAKE: Final = ("R", "D")
_MOST: Final = 16 << 10
_STATE, _GROUP, _USER, _SYSTEM = 0, 2, 11, 12
"""Fields of ``stat`` behind the name, which may have spaces."""


@dataclass(frozen=True, slots=True)
class Look:
    """Some processes at one moment, the thread that looks left out."""

    awake: bool
    """A thread runs or wants to."""
    ticks: dict[str, int]
    """CPU time of each thread so far."""

    @classmethod
    def at(cls, pids: Iterable[int]) -> Look:
        """Look now; a process that is gone has no threads."""
        stats = dict(thread for pid in pids for thread in _threads(pid))
        ticks = {thread: int(fields[_USER]) + int(fields[_SYSTEM]) for thread, fields in stats.items()}
        return cls(any(fields[_STATE] in _AWAKE for fields in stats.values()), ticks)


def asleep(pid: int) -> bool:
    """Whether no thread of a process runs or wants to; a process that is gone sleeps."""
    return not Look.at([pid]).awake


def dead(pid: int) -> bool:
    """Whether a process has ended, also if nobody has been told yet."""
    fields = _fields(f"/proc/{pid}/stat")
    return fields is None or fields[_STATE] in ("Z", "X")


def group(leader: int) -> list[int]:
    """Processes of the group that this one leads."""
    named = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return [pid for pid in named if (fields := _fields(f"/proc/{pid}/stat")) and int(fields[_GROUP]) == leader]


def descendants(pid: int) -> list[int]:
    """Children of a process that is there, and theirs; none where the kernel does not tell (proc_tid_children(5))."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                for child in map(int, (task / "children").read_text(encoding="ascii").split()):
                    found += [child, *descendants(child)]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads that a process has or had, 0 once it is gone."""
    fields = _fields(f"/proc/{pid}/stat")
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _threads(pid: int) -> Iterator[tuple[str, list[str]]]:
    own = str(threading.get_native_id())
    try:
        with os.scandir(f"/proc/{pid}/task") as tasks:
            names = [task.name for task in tasks]
    except OSError:
        return
    for name in names:
        if name != own and (fields := _fields(f"/proc/{pid}/task/{name}/stat")):
            yield name, fields


def _fields(stat: str) -> list[str] | None:
    try:
        return told(stat).rpartition(")")[2].split()
    except OSError:
        return None


def told(path: str) -> str:
    """What a file of proc(5) of less than 16 KiB says; raises OSError.

    Standstills are looked for in hundreds of them, many times a second: the way through :mod:`pathlib` and buffered
    text would take longer than the kernel takes to answer.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _MOST).decode("ascii", "replace")
    finally:
        os.close(descriptor)
