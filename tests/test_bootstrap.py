"""``bootstrap.py``: what it says before it sets anything up."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import bootstrap

SCRIPT: Final = Path(bootstrap.__file__)
USAGE: Final = "usage: bootstrap.py {conformance|tests|lint} [pytest arguments]"


@pytest.fixture
def commands_run(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have been run, all with success."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "4.11.0", "")

    def call(command: list[str], **_: object) -> int:
        return run(command).returncode

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(bootstrap, "_run", call)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return commands


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["-h"], 0), (["--help"], 0)])
def test_help_is_the_usage(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(arguments) == code
    assert capsys.readouterr().out.endswith(f"{USAGE}\n")


@pytest.mark.parametrize("name", ["", "conformence", "--lint", "conformance "])
def test_an_unknown_environment_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main([name]) == 2
    assert capsys.readouterr().err == f"bootstrap: {name!r}: expected one of conformance, tests, lint\n"


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")

    assert bootstrap.main(["lint"]) == 3
    assert capsys.readouterr().err == "bootstrap: this is Python 3.10.4, expected 3.11 or later\n"


@pytest.mark.parametrize("arguments", [["--cell", "x"], ["--", "--cell", "x"]])
def test_arguments_go_to_pytest(arguments: list[str], commands_run: list[list[str]]) -> None:
    assert bootstrap.main(["conformance", *arguments]) == 0

    assert commands_run[-1] == ["/usr/bin/tox", "run", "-q", "-e", "conformance", "--", "--cell", "x"]


@pytest.mark.usefixtures("commands_run")
def test_the_exit_code_is_that_of_tox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_run", lambda _: 1)

    assert bootstrap.main(["conformance"]) == 1


def test_where_nothing_can_be_installed_the_environment_broke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(bootstrap, "HOME", tmp_path / "tox")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(bootstrap, "_venv", lambda: False)
    monkeypatch.setattr(subprocess, "run", broken)

    assert bootstrap.main(["conformance"]) == 3
    assert capsys.readouterr().err == (
        "bootstrap: installing tox into build/tox\n"
        "bootstrap: this Python cannot make virtual environments; run: sudo apt-get install -y python3-venv\n"
    )


def test_it_needs_nothing_but_python() -> None:
    ended = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT)], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (2, "")


def test_nothing_is_executed_that_lies_where_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "venv.py").write_text("raise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bootstrap, "HOME", tmp_path / "tox")
    monkeypatch.setattr(bootstrap, "_VENV", ("venv", "--without-pip"))

    assert bootstrap._venv()


def test_who_stops_it_stops_what_it_runs(tmp_path: Path) -> None:
    tox = """
import sys, time
print("begun", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(1)
"""
    program = f"import sys, bootstrap; sys.exit(bootstrap._run([sys.executable, '-c', {tox!r}]))"
    with subprocess.Popen([sys.executable, "-c", program], cwd=SCRIPT.parent, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"
        run.terminate()

        assert run.stdout.read() == "interrupted\n"
        assert run.wait() == 3
