"""Where somebody calls us lies what it will; nothing of it is executed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from multifd.errors import PeerError
from multifd.libraries.find import Library, python_command
from multifd.oracle.question import Prediction
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import PROGRAM, Nursery
from multifd.plan.work import Check
from multifd.process.child import Start, execute
from multifd.process.python import ENVIRONMENT, ROOT, python, same_path
from multifd.process.run import run
from multifd.result import store
from multifd.run.vendor import examine
from tests.reports.builder import cell, results

LONG: Final = 60.0
NAMES: Final = (
    "conftest", "fixtures", "json", "multifd", "numpy", "qatzip", "qpl", "reports", "sitecustomize", "struct", "suites",
    "usercustomize",
)  # fmt: skip
CELL: Final = "wire/none/none~none/qemu-10.0/capture/mixed/4k/2ch"
IDENTICAL: Final = Prediction("identical", "vendor", "it keeps its word", None, ())
COMMAND: Final = "from multifd.cli.main import main\nmain()\n"
"""What an installed ``multifd`` does."""


class Trap:
    """A directory of modules that note when they are executed, and the one that we are in."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "trap"
        self.directory.mkdir()
        self._notes = directory / "notes"
        for name in NAMES:
            text = f"open({str(self._notes)!r}, 'a').write({name!r} + chr(10))\n"
            (self.directory / f"{name}.py").write_text(text)

    @property
    def executed(self) -> list[str]:
        """Modules that were."""
        return self._notes.read_text().splitlines() if self._notes.exists() else []


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trap:
    """Where this process is."""
    trap = Trap(tmp_path)
    monkeypatch.chdir(trap.directory)
    return trap


def command(trap: Trap, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``multifd`` with these arguments, as it is installed."""
    script = trap.directory.parent / "bin" / "multifd"
    script.parent.mkdir(exist_ok=True)
    script.write_text(COMMAND)
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_trap_notices(trap: Trap) -> None:
    subprocess.run([sys.executable, "-c", "import json, numpy"], check=True)

    assert {"json", "numpy"} <= set(trap.executed)


@pytest.mark.parametrize("arguments", [("cells", "--json"), ("doctor",), ("vendor", "list")])
def test_no_command_executes_it(arguments: Sequence[str], trap: Trap) -> None:
    ended = command(trap, *arguments)

    assert "Traceback" not in ended.stderr
    assert trap.executed == []


def test_explain_does_not_execute_it(trap: Trap) -> None:
    ended = command(trap, "explain", CELL, "--hwprofile", "software-only", "--qemu", "none")

    assert (ended.returncode, trap.executed) == (0, []), ended.stderr


def planted(trap: Trap, directory: Path) -> str:
    """A directory of somebody else's, with the same in it; its path from where we are."""
    for path in trap.directory.iterdir():
        shutil.copy(path, directory)
    return os.path.relpath(directory)


@pytest.mark.parametrize("name", ["replay", "dissect"])
def test_nor_what_lies_in_a_capture(name: str, trap: Trap) -> None:
    capture = trap.directory.parent / "capture"
    shutil.copytree(ROOT / "tests/captures/qemu-10.0-zstd", capture)

    ended = command(trap, name, planted(trap, capture))

    assert (ended.returncode, trap.executed) == (0, []), ended.stderr


def test_nor_what_lies_in_a_results_directory(trap: Trap, tmp_path: Path) -> None:
    store.save(results(cell()), tmp_path)
    directory = planted(trap, tmp_path)

    told = [command(trap, "report", directory, "--output", "out"), command(trap, "diff", directory, directory)]

    assert ([ended.returncode for ended in told], trap.executed) == ([0, 0], []), told


def test_nor_what_lies_beside_a_profile_and_where_a_run_is_started(trap: Trap) -> None:
    Path("own.yaml").write_text(
        f"description: own\npeers:\n  - {{codec: none}}\n  - name: own\n    roles: [receiver]\n"
        f"    command: [{sys.executable}, -P, {ROOT}/examples/own_peer/peer.py]\n"
    )

    results = ("--results", str(trap.directory.parent / "results"), "--no-allure")

    ended = command(trap, "run", "--hwprofile", "own.yaml", "--qemu=none", "--cell", "probe/none", "-n1", *results)

    assert (ended.returncode, trap.executed) == (0, []), ended.stdout + ended.stderr


@pytest.mark.parametrize("starter", [lambda nursery: nursery.start, lambda _: execute], ids=["forked", "executed"])
def test_no_peer_executes_it(starter: Callable[[Nursery], Start], trap: Trap) -> None:
    with Nursery() as nursery:
        peer = PeerProcess("zlib", (*PROGRAM, "zlib"), ENVIRONMENT, starter(nursery))
        assert peer.hello(LONG).name == "zlib"
        peer.quit()

    assert trap.executed == []


LIBRARY: Final = Library("qpl", Path("/l/libqpl.so.1"), None, "host", (), (2, 34))


def test_no_check_of_a_library_executes_it(trap: Trap) -> None:
    examine(Check(library="qpl", framing="qpl", name="sizes"), LIBRARY, LONG)

    assert trap.executed == []


def test_no_worker_of_a_library_executes_it(trap: Trap) -> None:
    ended = run(*python_command(LIBRARY, ("-m", "multifd.fidelity.worker", "qpl")), LONG)

    assert b"Traceback" not in ended.log or b"QPL_LIBRARY" in ended.log, ended.log
    assert trap.executed == []


def test_a_peer_of_a_library_does_not_execute_it(trap: Trap) -> None:
    with pytest.raises(PeerError, match="usage: "):
        PeerProcess("none", *python_command(LIBRARY, ("-m", "multifd.peer"))).hello(LONG)

    assert trap.executed == []


def test_no_worker_of_a_run_executes_it(trap: Trap) -> None:
    test = trap.directory.parent / "test_anything.py"
    test.write_text("def test_anything() -> None: pass\n")
    arguments = ("-m", "pytest", "-q", "-n1", "-p", "no:cacheprovider", "-p", "fixtures.plugin", str(test))

    ended = run(python(*arguments), same_path(), LONG)

    assert b"1 passed" in ended.output, ended.output
    assert trap.executed == []


# The search path that a child is given


def path() -> list[str]:
    """Entries."""
    return same_path()["PYTHONPATH"].split(os.pathsep)


def test_what_this_process_finds_a_child_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_here.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    ended = run(
        python("-c", "import only_here, multifd; print(only_here.answer)"), same_path(), LONG, directory=Path("/")
    )

    assert ended.output == b"42\n"


@pytest.mark.parametrize("entry", ["", ".", "relative", "{here}"])
def test_a_child_does_not_look_where_this_process_happens_to_be(
    entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "relative").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry.format(here=tmp_path), *sys.path])

    given = path()

    assert all(Path(each).is_absolute() for each in given)
    assert str(tmp_path) not in given


def test_a_directory_that_the_user_names_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{tmp_path}")

    assert str(tmp_path) in path()
