"""What may kill the process is done in a child of it."""

from __future__ import annotations

import faulthandler
import os
import signal
import traceback
from collections.abc import Callable
from typing import Final

from multifd.errors import HarnessError
from multifd.scrutiny.observation import Seen

_MOST: Final = 1 << 16
"""Bytes of an answer; more than fits a pipe would block the child."""
_OURS: Final = 70
"""Exit status of a child in which something of ours failed (``EX_SOFTWARE`` of sysexits(3))."""


class Died(Exception):  # noqa: N818  (an answer, not an accident)
    """The child did not come to its end; the text says of what: ``signal SIGSEGV``."""


def in_child(act: Callable[[], str]) -> str:
    """What ``act`` answers, at most 64 KiB; raises :class:`Died`, and HarnessError for what ``act`` raises."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        # A death that is looked for is no news to whoever watches this process.
        faulthandler.disable()
        try:
            os.write(write, act().encode()[:_MOST])
        except BaseException:
            traceback.print_exc()
            os._exit(_OURS)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        answer = answers.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        raise Died(f"signal {signal.Signals(-status).name}")
    if status == _OURS:
        raise HarnessError("a child of the check failed; its traceback is on standard error")
    if status:
        raise Died(f"exit status {status}")
    return answer.decode()


def fate(act: Callable[[], str]) -> Seen:
    """What ``act`` answers in a child, or of what that died."""
    try:
        return Seen(in_child(act))
    except Died as death:
        return Seen(str(death), "crash")
