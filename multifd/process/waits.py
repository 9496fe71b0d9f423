"""Whether threads wait for ever: in a system call without a time limit, from which only somebody else wakes them.

By proc(5), ``/proc/PID/task/TID/syscall`` (the call and its arguments) and ``status`` (how often the thread has gone to
sleep). One that was stopped by a signal waits for somebody whom nobody knows. The numbers of calls are those of the
host's architecture (syscall(2)); on one that is not listed, and where the kernel does not tell, nobody is known to
wait for ever.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from multifd.process.threads import told

_LIMIT: Final[Mapping[str, Mapping[str, int | None]]] = MappingProxyType(
    {
        "x86_64": {
            "0": None, "1": None, "19": None, "20": None, "275": None,  # read, write, readv, writev, splice
            "43": None, "288": None, "42": None,  # accept, accept4, connect
            "44": None, "45": None, "46": None, "47": None,  # sendto, recvfrom, sendmsg, recvmsg
            "202": 3, "7": 2, "271": 2, "232": 3, "281": 3,  # futex, poll, ppoll, epoll_wait, epoll_pwait
        },
        "aarch64": {
            "63": None, "64": None, "65": None, "66": None, "76": None,
            "202": None, "242": None, "203": None,
            "206": None, "207": None, "211": None, "212": None,
            "98": 3, "73": 2, "22": 3,
        },
    }
)  # fmt: skip
"""By machine, calls that may wait for ever, each with the place of its time limit among the arguments."""
_NONE: Final = ("0x0", "0xffffffff", "0xffffffffffffffff")
"""Values of a time limit that is none: no pointer, or -1 milliseconds."""
_MAIN_LOOP: Final[Mapping[str, str]] = MappingProxyType({"x86_64": "271", "aarch64": "73"})
"""ppoll, in which a process's first thread may have a limit: the timers of its main loop."""
_SLEPT: Final = "voluntary_ctxt_switches:"

Waits = Mapping[int, tuple[str, str]]
"""By thread what it waits for, and how often it has gone to sleep. Two that are equal: nobody has run in between."""


def waiting(threads: Iterable[int], *, anyhow: bool = False) -> Waits | None:
    """What these threads wait for; None if one does not wait for ever, or if that cannot be seen.

    ``anyhow``: a limit does not matter, for it is a deadline, at which these threads only give up.
    """
    waits: dict[int, tuple[str, str]] = {}
    for thread in threads:
        try:
            called = told(f"/proc/{thread}/task/{thread}/syscall")
            status = told(f"/proc/{thread}/task/{thread}/status")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        except OSError:
            return None
        process = int(_field(status, "Tgid:"))
        for_ever = anyhow or _for_ever(called.split(), first=process == thread)
        if not _field(status, "State:").startswith("S") or not for_ever:
            return None
        waits[thread] = (called, _field(status, _SLEPT))
    return waits


def threads(pid: int) -> list[int]:
    """Those of a process, none of one that is gone."""
    try:
        with os.scandir(f"/proc/{pid}/task") as tasks:
            return [int(task.name) for task in tasks]
    except OSError:
        return []


def _for_ever(called: list[str], *, first: bool) -> bool:
    machine = platform.machine()
    call, *arguments = called
    limits = _LIMIT.get(machine, {})
    if call not in limits:
        return False
    limit = limits[call]
    return limit is None or arguments[limit] in _NONE or (first and call == _MAIN_LOOP[machine])


def _field(status: str, name: str) -> str:
    return next(line.removeprefix(name).strip() for line in status.splitlines() if line.startswith(name))
