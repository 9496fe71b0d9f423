"""An installed ``multifd`` plans what the checkout plans: its data is in the wheel, wherever that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.campaign.runs import OneCell
from tests.cli.command import ROOT

PROJECTS: Final = (".", "packages/qpl-py", "packages/qatzip-py")


def tracked(directory: Path) -> Path:
    """A copy of the projects as a clone has them: what was built here before is in nobody's wheel."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        source = ROOT / name
        if source.is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, directory / name)
    return directory


def run(command: Sequence[str | Path], **where: str | Path) -> str:
    """What a program prints; it must end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env=environment, **where
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an empty environment with nothing but the wheels and what they depend on."""
    directory = tmp_path_factory.mktemp("wheel")
    source = tracked(directory / "source")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run([*pip, "wheel", "--no-deps", "--wheel-dir", directory / "wheels", *(source / name for name in PROJECTS)])
    run([sys.executable, "-m", "venv", directory / "environment"])
    python = directory / "environment/bin/python"
    run([python, "-m", *pip[2:], "install", "--no-compile", *(directory / "wheels").glob("*.whl")])
    return directory / "environment/bin/multifd"


@pytest.mark.timeout(300)
def test_it_plans_the_same(installed: Path, tmp_path: Path) -> None:
    what = ("cells", "--hwprofile", "emulated", "--qemu", "none")  # it extends the default
    checkout = run([sys.executable, "-m", "multifd.cli.main", *what], cwd=ROOT)

    elsewhere = run([installed, *what], cwd=tmp_path)

    assert elsewhere == checkout
    assert len(elsewhere.splitlines()) > 100


@pytest.mark.timeout(300)
def test_it_makes_the_reports_of_a_run_again(installed: Path, one_cell: OneCell, tmp_path: Path) -> None:
    shutil.copytree(one_cell.conformance.results, tmp_path / "results")
    ours = (tmp_path / "results/report.html").read_text(encoding="utf-8")
    (tmp_path / "results/report.html").unlink()

    run([installed, "report", tmp_path / "results"], cwd=tmp_path)

    assert (tmp_path / "results/report.html").read_text(encoding="utf-8") == ours
