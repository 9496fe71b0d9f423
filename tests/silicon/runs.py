"""Whole runs against a stand-in, from the command line to results.json and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import yaml

from examples.silicon.counters import FORMS, plant
from multifd.device.recorded_host import RecordedHost
from multifd.result.record import Cell, DeviceVerdict, DeviceWork, Results
from tests.device.recorded import GEN4, KUNPENG, SPR

ROOT: Final = Path(__file__).resolve().parents[2]
STANDINS: Final = Path(__file__).with_name("standins.py")
NEIGHBOUR: Final = Path(__file__).with_name("neighbour.py")
STAND_IN: Final = "stand-in"
"""Name of the peer."""

_WORKING: Final = "user root 0 0 memlock unlimited\nkernel 6.8.0\n"
_UNIT: Final = "/sys/bus/event_source/devices/iax1/type = 21\n/sys/bus/event_source/devices/iax1/cpumask = 0\n"
_NO_CLEARING: Final = "/sys/kernel/debug/hisi_zip/0000:75:00.0/clear_enable = 0\n"
TREES: Final[Mapping[str, str]] = {
    "QAT": _WORKING + GEN4,
    "IAA": _WORKING + SPR + _UNIT,
    "Kunpeng": _WORKING + KUNPENG + _NO_CLEARING,
}
"""A host that works, by device."""
EMULATIONS: Final[Mapping[str, str]] = {"QAT": "qat-emulated", "IAA": "iaa-emulated", "Kunpeng": "uadk-emulated"}
ENVIRONMENT: Final = {"PYTHONPATH": str(ROOT)}


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    code: int
    output: str
    directory: Path

    @cached_property
    def results(self) -> Results:
        """What it has written."""
        content = json.loads((self.directory / "results.json").read_text())
        return Results.model_validate(content)

    @property
    def cells(self) -> Sequence[Cell]:
        """Those that were run."""
        return [cell for cell in self.results.cells if cell.verdict not in ("skip", "not-run")]

    def verdicts(self, verdict: DeviceVerdict) -> list[Cell]:
        """Cells with this verdict on their devices."""
        return [cell for cell in self.cells if cell.device_verdict == verdict]

    @property
    def work(self) -> Iterator[tuple[Cell, DeviceWork]]:
        """Of every end that claims a device."""
        return ((cell, each) for cell in self.cells for each in cell.device)

    @property
    def failures(self) -> dict[str, str]:
        """Cells that failed, with why."""
        return {cell.id: cell.reason for cell in self.cells if cell.verdict in ("fail", "error")}


@dataclass(frozen=True)
class Lab:
    """A recorded host with a device, and a profile in which a stand-in for it takes part."""

    directory: Path
    device: str

    @property
    def root(self) -> Path:
        """Of the recorded host."""
        return self.directory / "host"

    def furnish(self, more: str = "") -> None:
        """Plant the host, with facts that override those of one that works, and the counter."""
        RecordedHost.parse(TREES[self.device] + more).plant(self.root)
        plant(self.root, FORMS[self.device])

    def run(
        self, way: str, *arguments: str, parameters: Mapping[str, int] | None = None, peers: Sequence[str] = ("zlib",)
    ) -> Run:
        """Run the suites with a stand-in of that way beside codecs of ours."""
        profile, results = self.directory / "profile.yaml", self.directory / "results"
        given = [f"{name}={value}" for name, value in (parameters or {}).items()]
        command = [sys.executable, str(STANDINS), way, str(self.root), EMULATIONS[self.device], *given]
        stand_in = {"name": STAND_IN, "command": command, "environment": ENVIRONMENT}
        content = {
            "description": f"a stand-in for {self.device}",
            "peers": [*({"codec": codec} for codec in peers), stand_in],
            "deadlines": {"hello": 60, "request": 20},
        }
        profile.write_text(yaml.safe_dump(content))
        options = ["--hwprofile", str(profile), "--results", str(results), "--host-root", str(self.root)]
        return conformance(results, *options, *arguments)

    @contextmanager
    def neighbour(self, habit: str) -> Iterator[None]:
        """Somebody else uses the device meanwhile."""
        process = subprocess.Popen(
            [sys.executable, str(NEIGHBOUR), habit, str(self.root), self.device],
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        with process:
            try:
                assert process.stdout.readline() == b"at work\n"
                yield
                assert process.poll() is None, "the neighbour has moved out"
            finally:
                process.kill()


def conformance(results: Path, *arguments: str) -> Run:
    """``pytest`` with these arguments, which writes there."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(ended.returncode, ended.stdout + ended.stderr, results)
