"""Whom somebody may ask of, and what is said to whoever names something else."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from multifd.advice.whom import NEWEST, alike, host, is_socket
from multifd.errors import InputError
from multifd.profile.load import shipped


def names(text: str) -> list[str]:
    return [device.name for device in host(text, "--from").devices]


def diagnosis(path: Path, **changes: Any) -> Path:
    """What doctor says of a host with a QAT that can be used and an IAA that cannot, and two QEMUs."""
    said = {
        "devices": [{"kind": "qat", "usable": True, "name": "4xxx"}, {"kind": "iaa", "usable": False}],
        "qemu": [
            {"version": "7.2.22", "methods": ["none", "zlib"], "problem": None},
            {"version": "10.0.2", "methods": ["none", "zlib", "qatzip"], "problem": None},
            {"version": None, "methods": [], "problem": "does not start"},
        ],
        "memory": 1,
        **changes,
    }
    path.write_text(json.dumps(said), encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ["qemu-7.2", "7.2"])
def test_a_version_is_every_host_with_it(text: str) -> None:
    found = host(text, "--from")

    assert (found.name, found.versions, found.devices, found.said) == ("QEMU 7.2", "7.2", (), False)


@pytest.mark.parametrize(
    ("profile", "devices"),
    [("icx-c62x", ["QAT"]), ("spr-qat-iaa", ["QAT", "IAA"]), ("kunpeng-920", ["Kunpeng"]), ("software-only", [])],
)
def test_a_profile_is_a_host_with_its_accelerators_and_the_newest_qemu(profile: str, devices: list[str]) -> None:
    assert names(profile) == devices
    assert host(profile, "--to").versions == NEWEST


@pytest.mark.parametrize("profile", shipped())
def test_every_shipped_profile_can_be_asked_of(profile: str) -> None:
    assert host(profile, "--to").name


def test_a_profile_may_be_a_file(tmp_path: Path) -> None:
    lab = tmp_path / "lab.yaml"
    lab.write_text("description: lab\nextends: auto\ndevices:\n  iaa: {policy: use}\n")

    assert names(str(lab)) == ["IAA"]


def test_a_version_with_a_profile_has_that_qemu() -> None:
    found = host("qemu-9.2+icx-c62x", "--to")

    assert (found.name, found.versions) == ("QEMU 9.2 with QAT", "9.2")


def test_a_diagnosed_host_has_what_can_be_used_and_its_newest_qemu(tmp_path: Path) -> None:
    found = host(str(diagnosis(tmp_path / "host.json")), "--to")

    assert ([each.name for each in found.devices], found.versions, found.said) == (["QAT"], "10.0.2", True)
    assert found.facts.methods == ("none", "zlib", "qatzip")


def test_a_recorded_host_of_which_no_qemu_is_known_has_the_newest(tmp_path: Path) -> None:
    found = host(str(diagnosis(tmp_path / "host.json", qemu=[])), "--to")

    assert (found.versions, found.said) == (NEWEST, False)


def test_a_socket_is_told_from_a_file(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))

        assert is_socket(str(tmp_path / "s"))
    assert not is_socket(str(diagnosis(tmp_path / "host.json")))
    assert not is_socket("qemu-7.2")
    assert not is_socket("a\0b")


def test_two_versions_stay_of_one_architecture() -> None:
    one = host("qemu-7.2", "--from")

    assert alike(one, host("qemu-9.2", "--to")) is one


@pytest.mark.parametrize("text", ["nowhere", "qemu-seven", "qemu-7.2+nowhere", "", "\x1b[31m"])
def test_who_is_nobody_is_told_what_could_be_named(text: str) -> None:
    with pytest.raises(
        InputError,
        match=r"--from .*: is no version \(qemu-7\.2\), no profile, no accelerator .*; the nearest are",
    ):
        host(text, "--from")


def test_of_a_release_that_is_newer_than_what_is_known_here_nothing_is_said() -> None:
    with pytest.raises(InputError, match=r"--to '99\.0': nothing is known of 99\.0 here, expected [\d.]+ at most"):
        host("99.0", "--to")


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "host.json"
    with file.open("wb") as large:
        large.truncate((16 << 20) + 1)

    with pytest.raises(InputError, match="has more than 16384 KiB"):
        host(str(file), "--to")


def test_a_host_that_was_looked_at_keeps_its_architecture(tmp_path: Path) -> None:
    found = host(str(diagnosis(tmp_path / "host.json", devices=[])), "--to")

    assert alike(found, host("kunpeng-920", "--from")) is found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"[1]", r"\$: Input should be a valid dictionary"),
        (b"{}", r"\$\.devices: Field required"),
        (b'{"devices": [{"kind": "qat"}]}', r"\$\.devices\.0\.usable: Field required"),
        (b"[" * 200000, "is nested too deep"),
        (b'{"devices": [], "devices": []}', r"\$: key 'devices' is there twice"),
        (b'{"devices": ' + b"9" * 50_000 + b"}", "is not JSON: Exceeds the limit"),
    ],
    ids=["empty", "binary", "list", "nothing", "half", "deep", "twice", "digits"],
)
def test_a_file_that_is_no_diagnosis_is_refused_naming_the_field(content: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "host.json"
    file.write_bytes(content)

    with pytest.raises(InputError, match=f"--to .*host.json: expected what 'multifd doctor --json' says.*{words}"):
        host(str(file), "--to")
