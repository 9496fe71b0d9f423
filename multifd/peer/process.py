"""What a started peer is to the client that drives it, and the plain way to start one: a program, executed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Protocol

from multifd.errors import EnvironmentBroke


class Running(Protocol):
    """A peer's process, the leader of a session and a process group of its own.

    Every method raises :class:`EnvironmentBroke` where what became of the process cannot be known.
    """

    @property
    def pid(self) -> int:
        """Its process id, for looking at it."""
        ...

    @property
    def stdin(self) -> IO[bytes]:
        """Requests go here; unbuffered."""
        ...

    @property
    def stdout(self) -> IO[bytes]:
        """Replies come from here; unbuffered."""
        ...

    @property
    def stderr(self) -> IO[bytes]:
        """Its log; unbuffered."""
        ...

    def wait(self, seconds: float) -> int | None:
        """Its exit status, negative for a signal; None if it has not ended within ``seconds``."""
        ...

    def end(self) -> None:
        """Kill its whole process group, which may have ended already, and let go of it."""
        ...


Start = Callable[[Sequence[str], Mapping[str, str]], Running]
"""Starts a command with these variables in its environment besides our own; raises :class:`EnvironmentBroke`."""


def execute(command: Sequence[str], environment: Mapping[str, str]) -> Running:
    """Start any command; ``str()`` of the :class:`EnvironmentBroke` that it may raise names the program."""
    try:
        return _Executed(command, environment)
    except OSError as problem:
        raise EnvironmentBroke(f"cannot start {command[0]!r}: {problem.strerror}") from None


def fate(status: int) -> str:
    """How a process ended, in words; ``status`` as :class:`subprocess.Popen` has it: negative for a signal."""
    if status < 0:
        return f"was killed by signal {-status} ({signal.strsignal(-status)})"
    return f"exited with status {status}"


class _Executed:
    """A child of ours."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(
            command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe,
            env={**os.environ, **environment}, start_new_session=True,
        )  # fmt: skip
        assert self._child.stdin is not None and self._child.stdout is not None and self._child.stderr is not None
        self.pid = self._child.pid
        self.stdin, self.stdout, self.stderr = self._child.stdin, self._child.stdout, self._child.stderr

    def wait(self, seconds: float) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self._child.wait(seconds)
        return None

    def end(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
