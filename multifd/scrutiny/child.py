"""What may kill a process is done in a child of it."""

from __future__ import annotations

import faulthandler
import os
import signal
import traceback
from collections.abc import Callable
from typing import Final

_MOST: Final = 1 << 16
"""Bytes of an answer; more than fits a pipe would block the child."""


def in_child(act: Callable[[], str]) -> str:
    """What ``act`` answers, at most 64 KiB; ``signal SIGSEGV`` if the child dies of that."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        # A death that is looked for is no news to whoever watches this process.
        faulthandler.disable()
        try:
            os.write(write, act().encode()[:_MOST])
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        answer = answers.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return answer.decode() if status == 0 else f"exit status {status}"
