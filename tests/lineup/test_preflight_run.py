"""Devices in whole runs: what the preflight found decides them, for the command and for pytest alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.command import ROOT, process
from tests.lineup.pretender import REFUSES, WORDS, furnish


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


class Lab:
    """A host whose library pretends, and a profile that speaks of its device."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.profile = directory / "lab.yaml"

    def describe(self, manner: str, **entry: object) -> None:
        """The library does this, and the profile says that."""
        folder = furnish(self.directory / manner, "qpl", manner)
        devices = {"iaa": {"libraries": [str(folder)], **entry}}
        content = {"description": "lab", "peers": [{"codec": "zlib"}, {"codec": "none"}], "devices": devices}
        self.profile.write_text(yaml.safe_dump(content))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The suite of probes, which is the shortest."""
        given = ["--hwprofile", str(self.profile), "--results", str(self.directory / "results"), *arguments]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "suites/probe", *given],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip

    def results(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.directory / "results" / "results.json").read_text())
        return content


def test_required_silicon_that_does_not_work_ends_the_run_before_its_first_cell(lab: Lab) -> None:
    lab.describe(REFUSES, policy="require")

    ended = lab.run()

    assert ended.returncode == 3
    assert f"IAA: its library does not work on it: {WORDS}" in ended.stdout + ended.stderr
    assert not (lab.directory / "results").exists()


def test_the_command_says_the_same(lab: Lab) -> None:
    lab.describe(REFUSES, policy="require")

    ended = process("cells", "--hwprofile", lab.profile)

    assert ended.code == 3
    assert f"IAA: its library does not work on it: {WORDS}" in ended.err
