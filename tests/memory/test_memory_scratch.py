"""Scratch space: where there is room, where a socket can be, and what becomes of what was left."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from multifd.errors import EnvironmentBroke, InputError
from multifd.memory import scratch as module
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.address import listen

LONGEST = 61
"""Bytes of the path of a directory that is not too long."""


@pytest.fixture
def root() -> Iterator[Path]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        yield Path(directory)


def only(monkeypatch: pytest.MonkeyPatch, root: Path, length: int) -> Path:
    """No shared memory, and a TMPDIR whose path has so many bytes."""
    directory = Path(f"{root}/".ljust(length, "x"))
    directory.mkdir()
    monkeypatch.setattr(module, "_SHARED_MEMORY", root / "nowhere")
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def test_below_the_longest_path_a_worker_can_have_sockets(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    directory = only(monkeypatch, root, LONGEST)

    scratch = make_scratch(1, sockets=True)

    cell = scratch / "gw123" / "cell-1234567"
    cell.mkdir(parents=True)
    server, _ = listen(f"unix:{cell / 'migration'}", 1)
    server.close()
    assert scratch.parent == directory


def test_a_path_too_long_for_sockets_is_no_scratch_space(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    directory = only(monkeypatch, root, LONGEST + 1)

    with pytest.raises(EnvironmentBroke) as error:
        make_scratch(1 << 20, sockets=True)

    assert str(error.value) == (
        f"no scratch space: 1 MiB below a path of at most {LONGEST} bytes, as sockets want it, are needed in"
        f" {root}/nowhere or {directory}; set TMPDIR"
    )


def test_without_sockets_a_path_may_be_long(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    directory = only(monkeypatch, root, LONGEST + 1)

    assert make_scratch(1).parent == directory


def test_a_place_that_somebody_names_and_that_is_none_is_no_silence(
    monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    only(monkeypatch, root, LONGEST)
    monkeypatch.setenv("MULTIFD_SHM", str(root / "nowhere"))

    with pytest.raises(InputError, match=rf"^MULTIFD_SHM: '{root}/nowhere' is no directory, expected one"):
        make_scratch(1)


def test_without_room_the_need_is_named(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    directory = only(monkeypatch, root, LONGEST)

    with pytest.raises(EnvironmentBroke) as error:
        make_scratch(1 << 60)

    assert str(error.value) == (
        f"no scratch space: {1 << 40} MiB are needed in {root}/nowhere or {directory}; set TMPDIR"
    )


def test_where_shared_memory_is_too_small_it_is_where_temporary_files_go(
    monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    directory, shared = only(monkeypatch, root, LONGEST), root / "shm"
    shared.mkdir()
    monkeypatch.setattr(module, "_SHARED_MEMORY", shared)
    ample = os.statvfs(shared)
    small = SimpleNamespace(f_bavail=(64 << 20) // ample.f_frsize, f_frsize=ample.f_frsize)
    monkeypatch.setattr(os, "statvfs", lambda path: small if path == shared else ample)

    assert [make_scratch(need).parent for need in (64 << 20, (64 << 20) + 1)] == [shared, directory]


OWNER = """
import sys, time
from pathlib import Path
from multifd.memory import scratch
scratch._SHARED_MEMORY = Path("nowhere")
made = scratch.make_scratch(1)
(made / "gw0").mkdir()
(made / "gw0/image").write_bytes(bytes(4096))
print(made, flush=True)
time.sleep(60)
"""
"""Someone who has scratch space."""


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[subprocess.Popen[str]]:
    """Makes its scratch directory where ours will be, and says its path."""
    directory = only(monkeypatch, root, LONGEST)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], env={**os.environ, "TMPDIR": str(directory)}, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def path_of(owner: subprocess.Popen[str]) -> Path:
    """Its scratch directory."""
    assert owner.stdout is not None
    path = Path(owner.stdout.readline().strip())
    assert (path / "gw0/image").exists()
    return path


def test_what_a_killed_process_has_left_is_removed(owner: subprocess.Popen[str]) -> None:
    left = path_of(owner)
    owner.kill()
    owner.wait()

    made = make_scratch(1)

    assert (made.parent, list(made.parent.iterdir())) == (left.parent, [made])


def test_what_a_living_process_has_is_left_alone(owner: subprocess.Popen[str]) -> None:
    used = path_of(owner)

    make_scratch(1)

    assert (used / "gw0/image").exists()


def test_what_we_have_ourselves_is_left_alone(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    only(monkeypatch, root, LONGEST)

    first, second = make_scratch(1), make_scratch(1)

    assert first.is_dir()
    assert second.is_dir()


def test_what_another_user_has_left_is_left_alone(
    owner: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = path_of(owner)
    owner.kill()
    owner.wait()
    monkeypatch.setattr(os, "getuid", lambda: left.stat().st_uid + 1)

    make_scratch(1)

    assert (left / "gw0/image").exists()


def test_what_only_has_such_a_name_is_left_alone(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    directory = only(monkeypatch, root, LONGEST)
    (directory / "multifd-notes").mkdir()
    (directory / "multifd-notes.txt").touch()

    make_scratch(1)

    assert {path.name for path in directory.glob("multifd-notes*")} == {"multifd-notes", "multifd-notes.txt"}


def test_a_link_to_what_was_left_is_not_followed(owner: subprocess.Popen[str]) -> None:
    used = path_of(owner)
    owner.kill()
    owner.wait()
    kept = used.rename(used.with_name("kept"))
    used.symlink_to(kept)

    make_scratch(1)

    assert (kept / "gw0/image").exists()


def descriptors() -> int:
    """How many this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_what_is_removed_costs_no_descriptor() -> None:
    before = descriptors()

    for _ in range(3):
        remove_scratch(make_scratch(1))

    assert descriptors() == before
