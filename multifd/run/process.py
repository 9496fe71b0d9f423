"""A process that is not trusted: it ends by itself, or at its deadline, or when it has written too much."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from multifd.errors import EnvironmentBroke

MOST: Final = 4 << 20
"""Bytes of output, and of log, after which a process is stopped."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    status: int
    """As :class:`subprocess.Popen` has it: negative for a signal."""
    output: bytes
    log: bytes
    stopped: Literal["hung", "flooded"] | None = None
    """Why it was killed: at its deadline, or for what it wrote."""

    @property
    def died(self) -> str | None:
        """The signal that ended it, in words."""
        return f"signal {-self.status} ({signal.strsignal(-self.status)})" if self.status < 0 else None


def run_process(command: Sequence[str], environment: Mapping[str, str], deadline: float, most: int = MOST) -> Ended:
    """Run to the end, at most ``deadline`` seconds; whatever it leaves behind in its process group is killed.

    Raises :class:`EnvironmentBroke` where it cannot be started.
    """
    try:
        process = subprocess.Popen(
            command, env=dict(environment), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    except OSError as problem:
        raise EnvironmentBroke(f"cannot start {command[0]!r}: {problem.strerror}") from None
    assert process.stdout is not None and process.stderr is not None
    texts = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    output, log = texts.values()
    expires = time.monotonic() + deadline
    try:
        stopped = _drain(texts, expires, most)
        if stopped is None:
            process.wait(max(0.1, expires - time.monotonic()))
    except subprocess.TimeoutExpired:
        stopped = "hung"
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()
    return Ended(process.returncode, bytes(output), bytes(log), stopped)


def _drain(texts: Mapping[int, bytearray], expires: float, most: int) -> Literal["hung", "flooded"] | None:
    """Read until both ends are closed."""
    with selectors.DefaultSelector() as selector:
        for descriptor in texts:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            left = expires - time.monotonic()
            if left <= 0:
                return "hung"
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 1 << 16)
                texts[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
                if len(texts[key.fd]) > most:
                    return "flooded"
    return None
