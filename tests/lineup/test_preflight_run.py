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

from multifd.device.recorded_host import RecordedHost
from tests.cli.command import ROOT, multifd
from tests.device.recorded import SPR
from tests.lineup.pretender import REFUSES, WORDS, furnish


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


class Lab:
    """A host with an IAA and a library that pretends, and a profile that speaks of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.profile = directory / "lab.yaml"
        self.host = directory / "host"
        RecordedHost.parse(f"user root 0 0 memlock unlimited\nkernel 6.8.0\n{SPR}").plant(self.host)

    def describe(self, manner: str, **entry: object) -> None:
        """The library does this, and the profile says that."""
        folder = furnish(self.directory / manner, "qpl", manner)
        devices = {"iaa": {"libraries": [str(folder)], **entry}}
        peers = [{"codec": "zlib"}, {"codec": "none"}]
        content = {"description": "lab", "peers": peers, "devices": devices, "deadlines": {"request": 5}}
        self.profile.write_text(yaml.safe_dump(content))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The suite of probes, which is the shortest."""
        given = ["--results", str(self.directory / "results"), *self.options, *arguments]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "suites/probe", *given],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip

    @property
    def options(self) -> tuple[str, ...]:
        return "--hwprofile", str(self.profile), "--host-root", str(self.host), "--qemu", "none"

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

    ended = multifd("cells", *lab.options)

    assert ended.code == 3
    assert f"IAA: its library does not work on it: {WORDS}" in ended.err


def test_required_silicon_that_works_is_what_runs(lab: Lab) -> None:
    lab.describe("Pretender", policy="require")

    ended = lab.run()

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert provenances(lab) == {"none": "software", "zlib": "software", "qpl": "hardware"}
    assert lab.results()["run"]["remarks"] == []


@pytest.mark.parametrize("manner", [REFUSES, "Hangs"])
def test_a_host_with_a_device_that_does_not_work_is_no_worse_off_than_one_without(lab: Lab, manner: str) -> None:
    lab.describe(manner, policy="use")

    lab.run()

    (remark,) = lab.results()["run"]["remarks"]
    assert remark.startswith("IAA is not used: its library does not work on it: ")
    assert provenances(lab)["iaa-emulated"] == "emulated"
    assert remark in (lab.directory / "results" / "report.md").read_text().replace("\\", "")


def test_a_device_that_works_whatever_detection_says_is_hardware(lab: Lab) -> None:
    lab.describe("Pretender", policy="use")
    (lab.host / "sys/bus/dsa/devices/iax1/pasid_enabled").write_text("0")

    lab.run()

    (remark,) = lab.results()["run"]["remarks"]
    assert "so it is used, whatever else is known of it (iax1 0000:6a:02.0: PASIDs are off" in remark
    assert provenances(lab)["qpl"] == "hardware"


def test_the_command_plans_what_pytest_plans(lab: Lab) -> None:
    lab.describe("FallsBack", policy="use")
    lab.run()

    planned = multifd("cells", "probe/", *lab.options)

    ids = {line.split()[1] for line in planned.out.splitlines()}
    assert {cell["id"] for cell in lab.results()["cells"]} == ids


def provenances(lab: Lab) -> dict[str, str]:
    return {peer["name"]: peer["provenance"] for peer in lab.results()["peers"]}
