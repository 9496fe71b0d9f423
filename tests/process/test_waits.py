"""Who waits for ever is told from who waits for a while, works, or was stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from multifd.process.waits import threads, waiting

READS: Final = "import sys; sys.stdin.read()"
RECEIVES: Final = "import socket; a, b = socket.socketpair(); a.recv(1)"
SLEEPS: Final = "import time; time.sleep(60)"
WORKS: Final = "while True: pass"
WAITS_A_WHILE: Final = "import threading; threading.Event().wait(60)"
WAITS: Final = "import threading; threading.Event().wait()"
LONG: Final = 20.0


@contextmanager
def process(program: str) -> Iterator[int]:
    """A Python program that has come to what it does."""
    started = f"import sys, os; os.write(1, b'.')\n{program}"
    with subprocess.Popen([sys.executable, "-S", "-c", started], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as each:
        assert each.stdout is not None
        each.stdout.read(1)
        try:
            yield each.pid
        finally:
            each.kill()


def waits_for_ever(pid: int) -> bool:
    """It comes to wait, and nobody runs between two looks."""
    expires = time.monotonic() + LONG
    while time.monotonic() < expires:
        before = waiting(threads(pid))
        time.sleep(0.02)
        if before and waiting(threads(pid)) == before:
            return True
    return False


def ever(pid: int) -> bool:
    """Any of many looks finds that it waits for ever."""
    time.sleep(0.2)
    return any(waiting(threads(pid)) for _ in range(20))


def test_who_reads_receives_or_waits_for_a_lock_waits_for_ever() -> None:
    for program in (READS, RECEIVES, WAITS):
        with process(program) as pid:
            assert waits_for_ever(pid), program


def test_who_sleeps_or_waits_with_a_limit_does_not() -> None:
    for program in (SLEEPS, WAITS_A_WHILE):
        with process(program) as pid:
            assert not ever(pid), program


def test_who_works_does_not() -> None:
    with process(WORKS) as pid:
        assert not ever(pid)


def test_who_was_stopped_does_not() -> None:
    with process(READS) as pid:
        assert waits_for_ever(pid)
        os.kill(pid, signal.SIGSTOP)

        assert not ever(pid)


def test_who_has_run_meanwhile_has_another_wait() -> None:
    with process("import sys\nwhile sys.stdin.buffer.raw.read(1): pass") as pid:
        assert waits_for_ever(pid)
        before = waiting(threads(pid))
        with Path(f"/proc/{pid}/fd/0").open("wb", buffering=0) as pipe:
            pipe.write(b".")
        assert waits_for_ever(pid)

        assert waiting(threads(pid)) != before


def test_a_process_that_is_gone_has_no_threads() -> None:
    with process(READS) as pid:
        pass

    assert (threads(pid), waiting(threads(pid))) == ([], {})
