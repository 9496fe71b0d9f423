"""A child process: started in a session of its own, and ended with all that it has started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Protocol

from multifd.errors import EnvironmentBroke
from multifd.process.threads import descendants

PIPE: Final = subprocess.PIPE
NOWHERE: Final = subprocess.DEVNULL
STDOUT: Final = subprocess.STDOUT
_PR_SET_PDEATHSIG: Final = 1
_OF_OTHERS: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)
_LIBC: Final = ctypes.CDLL(None)


class Running(Protocol):
    """A process with pipes, the leader of a session and a process group of its own.

    Every method raises :class:`EnvironmentBroke` where what became of the process cannot be known.
    """

    @property
    def pid(self) -> int:
        """Its process id, for looking at it."""
        ...

    @property
    def stdin(self) -> IO[bytes]:
        """It reads from here."""
        ...

    @property
    def stdout(self) -> IO[bytes]:
        """It writes here."""
        ...

    @property
    def stderr(self) -> IO[bytes]:
        """Its log."""
        ...

    def wait(self, seconds: float) -> int | None:
        """Its exit status, negative for a signal; None if it has not ended within ``seconds``."""
        ...

    def end(self) -> None:
        """Kill its whole process group, which may have ended already, and let go of it."""
        ...


Start = Callable[[Sequence[str], Mapping[str, str]], Running]
"""Starts a command with these variables in its environment besides our own; raises :class:`EnvironmentBroke`."""


class Child:
    """A child of ours, with ``environment`` besides our own variables; its streams are pipes unless told otherwise.

    ``stdin``, ``stdout`` and ``stderr`` are what :class:`subprocess.Popen` takes, None for ours; ``buffering`` is that
    of the pipes. ``apart`` makes it the leader of a session, otherwise it ends with our own process group. ``with_us``
    has the kernel kill it when the thread that starts it ends, whatever way (``PR_SET_PDEATHSIG``, prctl(2)).

    Raises :class:`EnvironmentBroke`, which names the program, where it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdin: int | None = PIPE,
        stdout: int | None = PIPE,
        stderr: int | None = PIPE,
        directory: Path | None = None,
        buffering: int = 0,
        apart: bool = True,
        with_us: bool = False,
    ) -> None:
        self._apart = apart
        try:
            self._process = subprocess.Popen(
                command, bufsize=buffering, stdin=stdin, stdout=stdout, stderr=stderr, cwd=directory,
                env={**os.environ, **environment}, start_new_session=apart,
                preexec_fn=die_with_us if with_us else None,  # noqa: PLW1509  (one system call, no lock, no import)
            )  # fmt: skip
        except OSError as problem:
            raise EnvironmentBroke(f"cannot start {command[0]!r}: {problem.strerror}") from None
        self.pid = self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe that it reads from."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe that it writes to."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def stderr(self) -> IO[bytes]:
        """The pipe of its log."""
        assert self._process.stderr is not None
        return self._process.stderr

    def wait(self, seconds: float) -> int | None:
        """Its exit status, negative for a signal; None if it has not ended within ``seconds``."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def ended(self) -> int:
        """Wait for its end, however long that takes; its exit status."""
        return self._process.wait()

    def end(self) -> None:
        """Kill it and its whole process group, which may have ended already."""
        if not self._apart:
            self._process.kill()
        elif self._process.poll() is None:
            kill_tree(self.pid)
        else:  # its number may be another's by now, but not its group's
            kill_group(self.pid)
        self._process.wait()


def execute(command: Sequence[str], environment: Mapping[str, str]) -> Running:
    """Start any command with pipes, a :data:`Start`."""
    return Child(command, environment)


def kill_tree(leader: int) -> None:
    """Kill a process that has not been waited for, its group, and the children of it wherever they went.

    Those of a process that has ended are not known any more: they are left to :mod:`multifd.process.kin`.
    """
    family = [leader, *descendants(leader)]
    kill_group(leader)
    for pid in family:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def kill_group(leader: int) -> None:
    """Kill a process group, which may have ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def killer(status: int) -> str | None:
    """The signal that ended a process, in words; ``status`` as :meth:`Child.wait` gives it."""
    return f"signal {-status} ({signal.strsignal(-status)})" if status < 0 else None


def killed_by_others(status: int) -> bool:
    """Whether somebody ended it, or the kernel for want of memory: no defect of its own ends a process that way."""
    return -status in _OF_OTHERS


def fate(status: int) -> str:
    """How a process ended, in words; ``status`` as :meth:`Child.wait` gives it."""
    by = killer(status)
    return f"was killed by {by}" if by is not None else f"exited with status {status}"


def die_with_us() -> None:
    """Have the kernel kill this process when the thread that made it ends (PR_SET_PDEATHSIG, prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def stop_with_us() -> None:
    """The same, but with a signal that lets it write what it has."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
