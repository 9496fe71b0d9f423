"""One run at a time writes into a results directory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from multifd.errors import EnvironmentBroke, InputError
from multifd.result.lock import LOCK, Lock

ROOT: Final = Path(__file__).parents[2]
HOLD: Final = """\
import sys
from pathlib import Path
from multifd.result.lock import Lock

lock = Lock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def held_by_another(directory: Path) -> subprocess.Popen[bytes]:
    """A process that has the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    return process


def test_the_second_run_is_told_who_has_the_directory_and_what_to_do(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as other:
        with pytest.raises(InputError) as error:
            Lock(tmp_path)
        other.kill()

    assert str(error.value) == (
        f"{tmp_path}: a run is going on there (process {other.pid}), and makes its reports when it ends;"
        " remedy: wait for it, or run with --results OTHER"
    )


def test_a_run_that_was_killed_locks_nothing(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as other:
        other.kill()

    with Lock(tmp_path):
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_a_lock_that_was_released_can_be_had_again(tmp_path: Path) -> None:
    with Lock(tmp_path):
        pass

    Lock(tmp_path).release()


def test_a_child_that_was_forked_meanwhile_does_not_keep_it(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        lock.release()

        Lock(tmp_path).release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_the_number_of_an_earlier_process_does_not_remain(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("99999999999999\n")

    with Lock(tmp_path):
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_a_holder_that_did_not_say_who_it_is_is_unknown(tmp_path: Path) -> None:
    with Lock(tmp_path):
        os.truncate(tmp_path / LOCK, 0)

        with pytest.raises(InputError, match=r"\(process unknown\)"):
            Lock(tmp_path)


def test_a_directory_that_cannot_be_written_is_the_environments_fault(tmp_path: Path) -> None:
    (tmp_path / LOCK).mkdir()

    with pytest.raises(EnvironmentBroke) as error:
        Lock(tmp_path)

    assert str(error.value) == f"{tmp_path}/{LOCK}: cannot write: Is a directory"


def test_where_nothing_can_be_written_it_is_the_wrong_path() -> None:
    with pytest.raises(InputError) as error:
        Lock(Path("/proc"))

    assert str(error.value).startswith(f"/proc/{LOCK}: cannot write: ")


def test_a_lock_that_cannot_say_whose_it_is_is_the_environments_fault(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(EnvironmentBroke, match="cannot lock: File too large"):
            Lock(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    (tmp_path / LOCK).symlink_to("mine")

    with pytest.raises(EnvironmentBroke, match="is a symbolic link, which is not followed; remedy: remove it"):
        Lock(tmp_path)

    assert (tmp_path / "mine").read_text() == "precious"
