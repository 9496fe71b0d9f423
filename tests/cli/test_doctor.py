"""``multifd doctor``: words and commands for a person, the same as JSON, and an exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from multifd.cli import doctor
from multifd.cli.main import app
from multifd.cli.qemus import Found
from multifd.device.diagnose import diagnose
from multifd.libraries.find import Library
from multifd.qemu.binary import Binary
from tests.device.recorded import KUNPENG, SPR
from tests.device.trees import MIB, host
from tests.qemu.recorded import facts

FETCHED = Binary(command=("/cache/ld.so", "--library-path", "/cache", "/cache/bin/qemu-system-x86_64", "-L", "/share"))
QPL = Library("qpl", Path("/usr/lib/libqpl.so.1"), "1.9.0", "host", (), (2, 38))
TOO_NEW = Library("qpl", Path("/opt/libqpl.so.1"), None, "profile", (), (2, 41), "needs glibc 2.41, the host has 2.36")


@pytest.fixture(autouse=True)
def _plain_host(monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, [])
    real(monkeypatch)
    monkeypatch.setattr(doctor, "diagnose", partial(diagnose, enough=4 * MIB))


def find(monkeypatch: pytest.MonkeyPatch, libraries: Sequence[Library]) -> None:
    monkeypatch.setattr(doctor, "candidates", lambda: tuple(libraries))


def real(monkeypatch: pytest.MonkeyPatch, *qemus: Found) -> None:
    monkeypatch.setattr(doctor, "on_this_host", lambda: list(qemus))


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--root", str(root), *arguments])


def test_a_device_that_works_is_shown_and_nothing_is_wrong(tmp_path: Path) -> None:
    host(tmp_path, SPR.replace("0660", "0666"))

    result = run(tmp_path)

    assert "  usable    iaa iax1 0000:6a:02.0: driver idxd, queues wq1.0 user shared\n" in result.output
    assert result.exit_code == doctor.HEALTHY


def test_a_device_that_is_broken_is_shown_with_its_fix(tmp_path: Path) -> None:
    host(tmp_path, KUNPENG, "- /dev/hisi_zip-4")

    result = run(tmp_path)

    assert (
        "  unusable  kunpeng hisi_zip-4 0000:75:00.0: driver hisi_zip, free queues 256\n"
        "    it has no device node /dev/hisi_zip-4\n"
        "      udevadm trigger --subsystem-match=uacce\n"
    ) in result.output
    assert result.exit_code == doctor.UNUSABLE


def test_a_host_with_nothing_is_told_what_happens_instead(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert "none: no QAT, IAA or Kunpeng on this host; their peers run in software or are emulated" in result.output
    assert "qpl: none found; fetch it with: multifd vendor fetch" in result.output
    assert result.exit_code == doctor.HEALTHY


def test_a_library_is_shown_with_version_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, [TOO_NEW, QPL])

    result = run(tmp_path)

    assert "  qpl 1.9.0 /usr/lib/libqpl.so.1 (host)\n" in result.output
    assert result.exit_code == doctor.HEALTHY


def test_a_library_that_cannot_be_loaded_is_something_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, [TOO_NEW])

    result = run(tmp_path)

    assert "  qpl /opt/libqpl.so.1: needs glibc 2.41, the host has 2.36\n" in result.output
    assert result.exit_code == doctor.UNUSABLE


@pytest.mark.parametrize(
    ("libraries", "version"),
    [([TOO_NEW, QPL], "1.9.0"), ([replace(QPL, version=None)], "unknown"), ([TOO_NEW], "not available")],
    ids=["found", "found-without-a-version", "not-loadable"],
)
def test_versions_are_those_of_the_libraries_that_were_found(
    libraries: list[Library], version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(monkeypatch, libraries)

    assert f", qatzip not available, qpl {version}, " in run(tmp_path).output
    assert json.loads(run(tmp_path, "--json").output)["versions"]["qpl"] == version


def test_a_qemu_is_shown_with_version_program_and_methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real(monkeypatch, Found(FETCHED, facts("10.0")))

    result = run(tmp_path)

    assert "  qemu 10.0.13 /cache/bin/qemu-system-x86_64: none, zlib, zstd\n" in result.output
    assert result.exit_code == doctor.HEALTHY


def test_a_qemu_that_does_not_start_is_something_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real(monkeypatch, Found(FETCHED, problem="qemu ended with status 127"))

    result = run(tmp_path)

    assert "  /cache/bin/qemu-system-x86_64: qemu ended with status 127\n" in result.output
    assert result.exit_code == doctor.UNUSABLE


def test_a_host_without_qemu_is_told_how_to_get_one(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert "QEMU\n  none in PATH, none fetched; fetch some with: multifd vendor fetch --qemu\n" in result.output
    assert result.exit_code == doctor.HEALTHY


def test_a_host_without_room_breaks_the_environment(tmp_path: Path) -> None:
    host(tmp_path, "/proc/meminfo = MemAvailable: 2048 kB")

    result = run(tmp_path)

    assert "2 MiB of memory are available, a run needs 4 MiB" in result.output
    assert result.exit_code == doctor.ENVIRONMENT


def test_json_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host(tmp_path, KUNPENG, "- /dev/hisi_zip-4")
    find(monkeypatch, [QPL])
    real(monkeypatch, Found(FETCHED, facts("10.0")), Found(FETCHED, problem="qemu does not answer"))

    said = json.loads(run(tmp_path, "--json").output)

    (device,) = said["devices"]
    assert (device["name"], device["usable"]) == ("hisi_zip-4", False)
    assert device["problems"] == [
        {"what": "it has no device node /dev/hisi_zip-4", "fix": "udevadm trigger --subsystem-match=uacce"}
    ]
    assert said["libraries"] == [
        {"name": "qpl", "version": "1.9.0", "path": "/usr/lib/libqpl.so.1", "origin": "host", "problem": None}
    ]
    command = list(FETCHED.command)
    assert said["qemu"] == [
        {
            "command": command, "version": "10.0.13", "package": facts("10.0").package,
            "methods": ["none", "zlib", "zstd"], "problem": None,
        },
        {"command": command, "version": None, "package": None, "methods": [], "problem": "qemu does not answer"},
    ]  # fmt: skip
    assert {"multifd", "python", "zlib", "zstd", "isal"} <= said["versions"].keys()


def test_a_root_that_is_no_directory_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    result = run(tmp_path / "absent")

    assert result.exit_code == 2
