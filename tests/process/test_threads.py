"""What is seen of a process from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from multifd.process.threads import asleep, cpu_seconds, dead, group

LONG: Final = 20.0
BUSY: Final = [sys.executable, "-S", "-c", "while True: pass"]
SLEEPER: Final = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again until it holds."""
    expires = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < expires, "it did not happen"
        time.sleep(0.01)


def test_a_process_that_works_does_not_sleep() -> None:
    with subprocess.Popen(BUSY) as process:
        awake = [not asleep(process.pid) for _ in range(20)]
        process.kill()

    assert any(awake)


def test_a_process_that_works_uses_time() -> None:
    with subprocess.Popen(BUSY) as process:
        wait_until(lambda: cpu_seconds(process.pid) > 0.05)
        process.kill()


def test_a_process_that_waits_sleeps() -> None:
    with subprocess.Popen(SLEEPER) as process:
        wait_until(lambda: asleep(process.pid))
        process.kill()


def test_a_process_that_is_gone_sleeps_and_uses_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()

    assert (asleep(process.pid), dead(process.pid), cpu_seconds(process.pid)) == (True, True, 0.0)


def test_a_process_that_nobody_has_waited_for_is_dead() -> None:
    with subprocess.Popen(SLEEPER) as process:
        assert not dead(process.pid)
        process.kill()

        wait_until(lambda: dead(process.pid))


def test_a_group_is_its_leader_and_whoever_it_has_started() -> None:
    program = "import os, time\nos.write(1, b'%d\\n' % os.fork())\ntime.sleep(60)"
    command = [sys.executable, "-S", "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        children = {int(process.stdout.readline()), int(process.stdout.readline())} - {0}

        assert set(group(process.pid)) == {process.pid, *children}
        os.killpg(process.pid, signal.SIGKILL)


def test_a_name_with_spaces_and_brackets_is_no_hindrance() -> None:
    program = "import ctypes, time\nctypes.CDLL(None).prctl(15, b'a) R 1 (b')\nprint(flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()

        wait_until(lambda: asleep(process.pid))
        process.kill()
