"""Scratch space: where there is room, and where a socket can be."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from multifd.errors import EnvironmentBroke
from multifd.memory import scratch as module
from multifd.memory.scratch import make_scratch
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


def test_without_room_the_need_is_named(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    directory = only(monkeypatch, root, LONGEST)

    with pytest.raises(EnvironmentBroke) as error:
        make_scratch(1 << 60)

    assert str(error.value) == (
        f"no scratch space: {1 << 40} MiB are needed in {root}/nowhere or {directory}; set TMPDIR"
    )
