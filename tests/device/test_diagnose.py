"""The whole host: all its accelerators, and whether there is room for a run."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from multifd.device.diagnose import detect, diagnose
from multifd.device.sysfs import Host
from multifd.memory import scratch
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

    assert problem.what == "512 MiB of memory are available, a whole run asks for 1024 MiB"


def test_too_little_scratch_space_is_a_problem_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/absent")

    (problem,) = diagnose(Host(tmp_path, alice())).problems

    assert problem.what == "neither /dev/shm nor /absent has the 1200 MiB to spare that a whole run asks for"
    assert problem.fix == (
        "mount -o remount,size=2400M /dev/shm\n# or set TMPDIR"
        "\n# or run a part, which asks for less: multifd run --suite wire"
    )


def test_little_shared_memory_is_no_problem_where_temporary_files_have_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "free", lambda self, path: 1 << 40 if path == tempfile.gettempdir() else 64 << 20)

    diagnosis = diagnose(Host(tmp_path, alice()))

    assert (diagnosis.shared_memory, diagnosis.temporary, diagnosis.problems) == (64 << 20, 1 << 40, ())


def test_it_looks_where_a_run_has_its_scratch_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_SHARED_MEMORY", Path("/mnt/huge"))
    host(tmp_path, "/mnt/huge/any = 1")

    assert diagnose(Host(tmp_path, alice()), enough=1).shared_memory is not None
