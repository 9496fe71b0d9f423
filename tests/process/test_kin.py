"""Whom a run has started: they end with it, wherever they went, and also if it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil
import pytest

from multifd.memory import scratch as module
from multifd.memory.scratch import make_scratch
from multifd.process.child import Child
from multifd.process.kin import MARK, Warden, end_kin, mark

LONG: Final = 30.0
RUN: Final = """
import subprocess, sys, time
from multifd.memory.scratch import make_scratch
from multifd.process.kin import Warden
warden = Warden()
made = make_scratch(1)
gone = "setsid sh -c \'setsid sleep 3600 >/dev/null & echo $!\' & wait"
daemon = subprocess.run(["sh", "-c", gone], stdout=subprocess.PIPE, text=True).stdout.strip()
print(warden._process.pid, daemon, made, flush=True)
sys.stdin.read()
warden.close()
"""
"""A run with scratch space and a process that left it twice: by a session of its own, and by parents that ended."""


@pytest.fixture
def place() -> Iterator[Path]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        yield Path(directory)


@pytest.fixture
def run(place: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "MULTIFD_SHM": str(place), "TMPDIR": str(place)}
    with subprocess.Popen(
        [sys.executable, "-c", RUN], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def started(run: subprocess.Popen[str]) -> tuple[psutil.Process, psutil.Process, Path]:
    """Its warden, its daemon and its scratch directory."""
    assert run.stdout is not None
    warden, daemon, made = run.stdout.readline().split()
    return psutil.Process(int(warden)), psutil.Process(int(daemon)), Path(made)


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def ends(process: psutil.Process) -> None:
    expires = time.monotonic() + LONG
    while not gone(process):
        assert time.monotonic() < expires, "it lives"
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGHUP])
def test_a_run_that_is_killed_leaves_nobody_and_nothing(run: subprocess.Popen[str], how: signal.Signals) -> None:
    warden, daemon, made = started(run)

    run.send_signal(how)

    ends(warden)
    assert gone(daemon)
    assert not made.exists()


def test_a_run_that_ends_leaves_nobody(run: subprocess.Popen[str]) -> None:
    warden, daemon, _ = started(run)

    assert run.stdin is not None
    run.stdin.close()
    run.wait(LONG)

    assert gone(warden)
    assert gone(daemon)


def test_a_terminal_does_not_reach_the_warden(run: subprocess.Popen[str]) -> None:
    warden, _, _ = started(run)

    assert os.getsid(warden.pid) == warden.pid


def test_what_a_killed_warden_would_have_done_the_next_start_does(
    run: subprocess.Popen[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warden, daemon, made = started(run)
    warden.kill()
    run.kill()
    run.wait()
    assert not gone(daemon)
    monkeypatch.setattr(module, "_SHARED_MEMORY", place)
    monkeypatch.setattr(tempfile, "tempdir", str(place))

    make_scratch(1)

    ends(daemon)
    assert not made.exists()


def test_others_are_left_alone() -> None:
    with Warden():
        name = mark()
    other = Child(("sleep", "60"), {MARK: f"{name}0"})
    unmarked = Child(("sleep", "60"), {})

    end_kin(name)
    end_kin("")

    assert (other.wait(0.1), unmarked.wait(0)) == (None, None)
    other.end()
    unmarked.end()


def test_a_child_that_is_ended_takes_its_children_along_wherever_they_went() -> None:
    parent = Child(("sh", "-c", "setsid sh -c 'echo $$; exec sleep 60' & wait"), {})
    child = psutil.Process(int(parent.stdout.readline()))

    parent.end()

    ends(child)
