"""The whole host: all its accelerators, and whether there is room for a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device.diagnose import detect, diagnose
from multifd.device.sysfs import Host
from tests.device.recorded import GEN4, KUNPENG, SPR
from tests.device.trees import alice, host


def test_one_host_shows_all_its_accelerators(tmp_path: Path) -> None:
    devices = detect(host(tmp_path, GEN4, SPR, KUNPENG))

    assert [(device.kind, device.usable) for device in devices] == [("qat", True), ("iaa", True), ("kunpeng", True)]


def test_a_host_without_accelerators_has_none_and_no_problem(tmp_path: Path) -> None:
    diagnosis = diagnose(host(tmp_path, "/proc/meminfo = MemAvailable: 33554432 kB"), enough=1)

    assert (diagnosis.devices, diagnosis.problems) == ((), ())
    assert diagnosis.memory == 32 << 30


def test_too_little_memory_is_a_problem_of_the_host(tmp_path: Path) -> None:
    tree = "/proc/meminfo = MemTotal:        2097152 kB\\nMemAvailable:      524288 kB"

    (problem,) = diagnose(host(tmp_path, tree), enough=1 << 30).problems[:1]

    assert problem.what == "512 MiB of memory are available, a run needs 1024 MiB"


def test_too_little_scratch_space_is_a_problem_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/absent")

    (problem,) = diagnose(Host(tmp_path, alice())).problems

    assert problem.what == "neither /dev/shm nor /absent has 1024 MiB to spare"
    assert problem.fix == "mount -o remount,size=2048M /dev/shm\n# or set TMPDIR"
