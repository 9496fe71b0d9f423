"""Whole runs against a stand-in, from the command line to results.json and the exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
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
from tests.device.recorded import GEN4, KUNPENG, PF_DIR, SPR, VF_DIR

ROOT: Final = Path(__file__).resolve().parents[2]
STANDINS: Final = Path(__file__).with_name("standins.py")
NEIGHBOUR: Final = Path(__file__).with_name("neighbour.py")
STAND_IN: Final = "stand-in"
"""Name of the peer."""
_BINDINGS: Final = ("packages/qpl-py/src", "packages/qatzip-py/src")

_WORKING: Final = "user root 0 0 memlock unlimited\nkernel 6.8.0\n"
_UNIT: Final = "/sys/bus/event_source/devices/iax1/type = 21\n/sys/bus/event_source/devices/iax1/cpumask = 0\n"
_NO_CLEARING: Final = "/sys/kernel/debug/hisi_zip/0000:75:00.0/clear_enable = 0\n"
_VFS: Final = "".join(
    f"""
/sys/bus/pci/devices/0000:6b:00.{number} -> ../../../devices/pci0000:6b/0000:6b:00.{number}
{PF_DIR}/virtfn{number - 1} -> ../0000:6b:00.{number}
{VF_DIR[:-1]}{number}/vendor = 0x8086
{VF_DIR[:-1]}{number}/device = 0x4941
{VF_DIR[:-1]}{number}/physfn -> ../0000:6b:00.0
{VF_DIR[:-1]}{number}/driver -> ../../../bus/pci/drivers/vfio-pci
{VF_DIR[:-1]}{number}/iommu_group -> ../../../kernel/iommu_groups/{311 + number}
/dev/vfio/{311 + number} 0660
"""
    for number in range(2, 7)
)
"""Besides the first: each process that works on a QAT holds one."""
TREES: Final[Mapping[str, str]] = {
    "QAT": _WORKING + GEN4 + _VFS + f"{PF_DIR}/sriov_numvfs = 6\n",
    "IAA": _WORKING + SPR + _UNIT,
    "Kunpeng": _WORKING + KUNPENG + _NO_CLEARING,
}
"""A host that works, by device."""
EMULATIONS: Final[Mapping[str, str]] = {"QAT": "qat-emulated", "IAA": "iaa-emulated", "Kunpeng": "uadk-emulated"}
ENVIRONMENT: Final = {"PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in (".", *_BINDINGS))}
PATIENCE: Final = 30.0
"""Seconds that a peer may take, for others may be at work here."""


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    code: int
    output: str
    directory: Path

    @cached_property
    def results(self) -> Results:
        """What it has written."""
        return Results.model_validate_json((self.directory / "results.json").read_text())

    @property
    def cells(self) -> Sequence[Cell]:
        """Those that were run."""
        return [cell for cell in self.results.cells if cell.verdict not in ("skip", "not-run")]

    @property
    def work(self) -> Iterator[tuple[Cell, DeviceWork]]:
        """Of every end that claims a device, in every cell."""
        return ((cell, each) for cell in self.cells for each in cell.device)

    @property
    def demanding(self) -> Sequence[tuple[Cell, DeviceWork]]:
        """Of every end that had work for its device."""
        return [(cell, each) for cell, each in self.work if each.asked]

    @property
    def verdicts(self) -> Counter[DeviceVerdict]:
        """On the devices, by how many cells."""
        return Counter(cell.device_verdict for cell in self.cells)

    @property
    def failures(self) -> dict[str, str]:
        """Cells that failed, with why."""
        return {cell.id: cell.reason for cell in self.cells if cell.verdict in ("fail", "error")}

    def ended(self, verdict: DeviceVerdict) -> Sequence[Cell]:
        """Cells with this verdict on their devices."""
        return [cell for cell in self.cells if cell.device_verdict == verdict]


@dataclass(frozen=True)
class Lab:
    """A recorded host with devices, and runs of the suites on it."""

    directory: Path
    devices: Sequence[str]

    @classmethod
    def furnished(cls, directory: Path, *devices: str, counted: bool = True) -> Lab:
        """A host on which these work, with their counters or without."""
        lab = cls(directory, devices)
        RecordedHost.parse("".join(TREES[device] for device in devices)).plant(lab.root)
        for device in devices if counted else ():
            plant(lab.root, FORMS[device])
        return lab

    @property
    def root(self) -> Path:
        """Of the recorded host."""
        return self.directory / "host"

    def counter(self, device: str) -> Path:
        """The file that its driver would show."""
        return self.root / FORMS[device].file

    def stand_in(
        self,
        way: str,
        *suites: str,
        peers: Sequence[str] = (),
        workers: int = 1,
        deadline: float = PATIENCE,
        **parameters: int,
    ) -> Run:
        """Run suites with a stand-in of that way for the only device, beside codecs of ours."""
        (device,) = self.devices
        given = [f"{name}={value}" for name, value in parameters.items()]
        entry = {
            "name": STAND_IN,
            "command": [sys.executable, str(STANDINS), way, str(self.root), EMULATIONS[device], *given],
            "environment": ENVIRONMENT,
        }
        content = {
            "peers": [*({"codec": codec} for codec in peers), entry],
            "deadlines": {"hello": PATIENCE, "request": deadline},
        }
        return self.run(content, *suites, workers=workers)

    def run(
        self,
        profile: Mapping[str, object],
        *arguments: str,
        workers: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        """``pytest`` with these arguments, and with a profile of that content."""
        file, results = self.directory / "profile.yaml", self.directory / "results"
        file.write_text(yaml.safe_dump({"description": "silicon", **profile}))
        options = ["--hwprofile", str(file), "--results", str(results), "--host-root", str(self.root)]
        shared = ["-n", str(workers), "--dist", "loadgroup"] if workers > 1 else ["-p", "no:xdist"]
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                *shared,
                "--qemu",
                "none",
                *options,
                *arguments,
            ],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(ended.returncode, ended.stdout + ended.stderr, results)

    @contextmanager
    def neighbour(self, habit: str) -> Iterator[None]:
        """Somebody else uses the only device meanwhile."""
        (device,) = self.devices
        process = subprocess.Popen(
            [sys.executable, str(NEIGHBOUR), habit, str(self.root), device],
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
