"""A child is started with what it needs, and nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil
import pytest

from multifd.errors import EnvironmentBroke
from multifd.process.child import NOWHERE, PIPE, Child, execute, fate, killer
from multifd.process.python import ENVIRONMENT
from multifd.process.threads import dead

LONG: Final = 20.0
SLEEPER: Final = "import time; time.sleep(60)"


def child(program: str, **options: object) -> Child:
    return Child([sys.executable, "-S", "-c", program], {}, **options)  # type: ignore[arg-type]


def wait_until_dead(pid: int) -> None:
    """Look again until it is."""
    expires = time.monotonic() + LONG
    while not dead(pid):
        assert time.monotonic() < expires, "it lives"
        time.sleep(0.01)


def test_it_leads_a_session_of_its_own() -> None:
    started = child(SLEEPER)

    assert os.getsid(started.pid) == os.getpgid(started.pid) == started.pid
    started.end()


def test_it_stays_with_us_where_that_is_wanted() -> None:
    started = child(SLEEPER, apart=False)

    assert os.getpgid(started.pid) == os.getpgrp()
    started.end()
    assert dead(started.pid)


def test_its_variables_are_added_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    program = "import os; print(os.environ['OURS'] + os.environ['THEIRS'])"

    started = Child([sys.executable, "-S", "-c", program], {"THEIRS": "2"})

    assert started.stdout.read() == b"12\n"
    assert started.ended() == 0


def test_it_starts_where_it_is_told_to(tmp_path: Path) -> None:
    started = child("import os; print(os.getcwd())", directory=tmp_path)

    assert started.stdout.read() == f"{tmp_path}\n".encode()
    started.end()


def test_its_streams_are_pipes() -> None:
    started = execute([sys.executable, "-S", "-c", "import sys; sys.stderr.write(sys.stdin.readline())"], {})
    started.stdin.write(b"word\n")

    assert started.stderr.readline() == b"word\n"
    assert started.wait(LONG) == 0
    started.end()


def test_one_that_has_not_ended_has_no_status() -> None:
    started = child(SLEEPER)

    assert started.wait(0.05) is None
    started.end()
    assert started.wait(0) == -signal.SIGKILL


def test_what_it_has_started_ends_with_it() -> None:
    started = child(f"import os\nchild = os.fork()\nif child: print(child, flush=True)\n{SLEEPER}")
    grandchild = int(started.stdout.readline())

    started.end()

    wait_until_dead(grandchild)


def test_one_that_has_ended_is_let_go_of() -> None:
    started = child("")
    started.ended()

    started.end()


OWNER: Final = f"""
import sys, time
from multifd.process.child import Child
print(Child([sys.executable, "-S", "-c", {SLEEPER!r}], {{}}, with_us=True).pid, flush=True)
time.sleep(60)
"""


def test_it_dies_with_us_where_that_is_wanted() -> None:
    owner = Child([sys.executable, "-c", OWNER], ENVIRONMENT, stderr=None)
    pid = int(owner.stdout.readline())
    assert psutil.Process(pid).is_running()

    os.kill(owner.pid, signal.SIGKILL)
    owner.end()

    wait_until_dead(pid)


def test_one_that_cannot_be_started_is_the_hosts_fault() -> None:
    with pytest.raises(EnvironmentBroke, match=r"^cannot start '/nowhere/program': No such file or directory$"):
        execute(["/nowhere/program"], {})


@pytest.mark.parametrize(
    ("status", "words", "by"),
    [
        (0, "exited with status 0", None),
        (3, "exited with status 3", None),
        (-11, "was killed by signal 11 (Segmentation fault)", "signal 11 (Segmentation fault)"),
        (-35, "was killed by signal 35 (Real-time signal 1)", "signal 35 (Real-time signal 1)"),
    ],
)
def test_how_it_ended_is_told_in_words(status: int, words: str, by: str | None) -> None:
    assert (fate(status), killer(status)) == (words, by)


def test_a_stream_can_lead_nowhere() -> None:
    started = child("print('heard')", stdin=NOWHERE, stdout=PIPE, stderr=subprocess.STDOUT)

    assert started.stdout.read() == b"heard\n"
    assert started.ended() == 0
