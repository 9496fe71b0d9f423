"""All that a run has started, directly or by what it started, whatever became of those in between.

Who leaves its session (setsid(2)) is in no process group of ours, and one whose parents have ended is nobody's child.
A subreaper (prctl(2)) would get it back, but not one that was killed itself, and a cgroup takes rights that a user does
not have everywhere. What every one of them keeps is the environment that it was started with (``/proc/PID/environ``,
proc(5)): a run *marks* its own with a name that nobody else has.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from multifd.process.child import NOWHERE, Child
from multifd.process.python import ENVIRONMENT, python

MARK: Final = "MULTIFD_KIN"
"""The variable."""
_ENDED: Final = 5000
"""Milliseconds in which who was killed has ended."""
_WARDEN: Final = ("-S", "-m", "multifd.memory.warden")
"""A Python without ``site``, for it needs nothing that is installed."""


class Warden:
    """A process that outlives this one, however it ends, and then ends its kin and removes what it left in scratch.

    It has a session of its own, so that no Ctrl-C and no terminal that closes reaches it, and waits for the end of a
    pipe that nobody but this process holds. Raises EnvironmentBroke where it cannot be started.
    """

    def __init__(self) -> None:
        os.environ[MARK] = name = os.urandom(16).hex()
        self._process = Child(python(*_WARDEN, name), ENVIRONMENT, stdout=NOWHERE, stderr=NOWHERE)

    def close(self) -> None:
        """Have it do so now, and wait for it."""
        os.environ.pop(MARK, None)
        self._process.stdin.close()
        self._process.ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def mark() -> str:
    """The name that kin of this process have, empty where none was given."""
    return os.environ.get(MARK, "")


def end_kin(name: str) -> None:
    """Kill all that were started with this name and are there, and those whom they start meanwhile."""
    if not name:
        return
    killed = set[int]()
    while new := {pid: file for pid, file in _marked(name) if pid not in killed}:
        killed |= new.keys()
        waiting = select.poll()
        for file in new.values():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(file, signal.SIGKILL)
            waiting.register(file, select.POLLIN)
        while new and (ended := waiting.poll(_ENDED)):
            for file, _ in ended:
                waiting.unregister(file)
                new = {pid: other for pid, other in new.items() if other != file}
                os.close(file)
        for file in new.values():  # the kernel does not let it end, as one whose disk does not answer
            os.close(file)


def _marked(name: str) -> Iterator[tuple[int, int]]:
    """Processes with this name, but not this one, each with a file that means it and no other (pidfd_open(2))."""
    wanted = f"{MARK}={name}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):  # it has ended, or is somebody else's
            file = os.pidfd_open(int(entry.name))
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name), file
                    file = -1
            finally:
                if file >= 0:
                    os.close(file)
