"""Who may use the queues of an IAA device: nodes, rights, libraries, containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import iaa
from multifd.device.facts import ALL
from multifd.device.sysfs import Host
from tests.device.iaa_device import SAVED, SECOND, device, notes, problems
from tests.device.recorded import IAX, SPR
from tests.device.trees import alice, host

LIBRARIES = "library libqpl.so.1 {}\nlibrary libaccel-config.so.1 4.1.6"


@pytest.mark.parametrize(
    ("release", "qpl", "capable", "said"),
    [
        ("6.9.1", "1.5.0", False, "problem"),
        ("6.9.1", "1.6.0", False, None),
        ("6.9.1", "1.5.0", True, None),
        ("6.9.1", "unknown", False, "note"),
        ("6.9.1", "unknown", True, None),
        ("6.8.9", "1.5.0", False, None),
        ("6.8.10", "1.5.0", False, "problem"),
        ("6.6.30", "1.5.0", False, None),
        ("6.6.31", "1.5.0", False, "problem"),
        ("6.1.90", "1.5.0", False, None),
        ("6.1.91", "1.5.0", False, "problem"),
        ("6.7.12", "1.5.0", False, "note"),
        ("6.8.0-31-generic", "1.5.0", False, "note"),
        ("5.14.0-570.el9", "1.5.0", False, "note"),
        ("5.14.0-570.el9", "1.5.0", True, None),
    ],
)
def test_whether_a_queue_may_be_mapped_is_a_matter_of_kernel_library_and_capability(
    tmp_path: Path, release: str, qpl: str, capable: bool, said: str | None
) -> None:
    user = alice() if not capable else type(alice())("alice", 1000, frozenset({0}), None, ALL)

    (found,) = iaa.detect(host(tmp_path, SPR, SAVED, f"kernel {release}", LIBRARIES.format(qpl), user=user))

    assert len(found.problems) == (said == "problem")
    assert len(found.notes) == (said == "note")
    assert said is None or "INTEL-SA-01084" in (*found.problems, *found.notes)[0].what
    assert ("perhaps" in "".join(notes(found))) is (said == "note" and release != "6.9.1")


def test_without_a_libqpl_on_the_host_nothing_is_said_of_what_it_needs(tmp_path: Path) -> None:
    assert problems(device(tmp_path, "library libqat.so.4 24.09.0")) == []


@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        ("ID=debian", "apt-get install libaccel-config1"),
        ("ID=fedora", "dnf install accel-config-libs"),
        ("ID=sles", "zypper install libaccel-config1"),
        ("ID=arch", "# install libaccel-config as this distribution calls it, or build github.com/intel/idxd-config"),
    ],
)
def test_the_library_that_is_missing_has_the_name_that_the_distribution_gave_it(
    tmp_path: Path, distribution: str, command: str
) -> None:
    (problem,) = device(tmp_path, "library libqpl.so.1 1.9.0", f"/etc/os-release = {distribution}").problems

    assert problem.fix == command


@pytest.mark.parametrize(("release", "said"), [("3.5.2", 1), ("4.0", 0), ("4.1.6", 0), ("unknown", 0)])
def test_the_second_generation_needs_a_library_that_knows_it(tmp_path: Path, release: str, said: int) -> None:
    libraries = f"library libqpl.so.1 1.9.0\nlibrary libaccel-config.so.1 {release}"

    assert len(device(tmp_path, libraries, f"{IAX}/version = 0x200").problems) == said
    assert device(tmp_path, libraries, f"{IAX}/version = 0x100").usable


def test_a_group_that_may_open_the_node_is_joined(tmp_path: Path) -> None:
    (problem,) = device(tmp_path, "/dev/iax/wq1.0 0660 0:991").problems

    assert problem.fix == 'usermod -a -G "$(getent group 991 | cut -d: -f1)" alice\n# then log in again'


@pytest.mark.parametrize("owner", ["0640 0:991", "0606 0:991", "0600 0:991"])
def test_a_group_that_may_not_open_the_node_is_not_joined(tmp_path: Path, owner: str) -> None:
    found = iaa.detect(host(tmp_path, SPR, f"/dev/iax/wq1.0 {owner}", user=alice(member=False)))[0]

    assert found.usable is (owner == "0606 0:991") or "chgrp iaa /dev/iax/wq1.0" in found.problems[0].fix


def test_what_the_kernel_forbids_against_the_mode_is_not_put_down_to_the_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = host(tmp_path, SPR)
    monkeypatch.setattr(Host, "permits", lambda self, path: False)

    (problem,) = iaa.detect(there)[0].problems

    assert problem.what == (
        "user alice may not open /dev/iax/wq1.0 although its mode says so: SELinux, a device cgroup or the container"
        " forbids it"
    )
    assert problem.fix.splitlines()[:2] == ["ls -lZ /dev/iax/wq1.0", "ausearch -m avc -ts recent"]


def test_a_container_that_was_given_nothing_is_told_so_of_every_device(tmp_path: Path) -> None:
    devices = iaa.detect(host(tmp_path, SPR, SECOND, "- /dev/iax"))

    assert [problems(found) for found in devices] == [
        ["work queue wq1.0 has no device node /dev/iax/wq1.0"],
        ["work queue wq3.0 has no device node /dev/iax/wq3.0"],
    ]


def test_a_device_of_which_the_container_has_nothing_is_not_ours(tmp_path: Path) -> None:
    devices = iaa.detect(host(tmp_path, SPR, SECOND, "- /dev/iax/wq3.0"))

    assert [(found.name, found.usable, problems(found)) for found in devices] == [
        ("iax1", True, []),
        ("iax3", False, []),
    ]
    assert (devices[1].notes, devices[1].directions) == ((iaa.ELSEWHERE,), frozenset())
