"""What of an IAA device's configuration outlives a boot."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import iaa
from multifd.device.facts import ALL, User
from tests.device.iaa_device import CONFIGURATION, FILE, OTHER, RULE, SECOND, UNIT, notes
from tests.device.recorded import SPR
from tests.device.trees import host


def test_nothing_that_was_not_saved_outlives_a_boot(tmp_path: Path) -> None:
    (found,) = iaa.detect(host(tmp_path, SPR, RULE))

    assert notes(found) == [
        "the configuration of iax1 is gone after the next boot: /etc/accel-config/accel-config.conf does not exist"
    ]
    assert found.notes[0].fix == (
        "# once all devices are configured as they are to stay:\n"
        "mkdir -p /etc/accel-config\n"
        "accel-config save-config -s /etc/accel-config/accel-config.conf\n"
        "printf '%s\\n' '[Service]' 'Type=oneshot'"
        " 'ExecStart=/usr/bin/accel-config load-config -e -c /etc/accel-config/accel-config.conf'"
        " '[Install]' 'WantedBy=multi-user.target' > /etc/systemd/system/iaa-queues.service\n"
        "systemctl enable iaa-queues.service"
    )


@pytest.mark.parametrize(
    ("saved", "unit", "lost"),
    [
        ('[{"dev":"iax1"}]', UNIT, f"iax3 is gone after the next boot: {FILE} does not hold it"),
        ('[{"dev":"iax11"},{"dev":"iax3"}]', UNIT, f"iax1 is gone after the next boot: {FILE} does not hold it"),
        (
            '[{"dev":"iax1"},{"dev":"iax3"}]',
            "",
            f"iax1 and iax3 is gone after the next boot: no unit of systemd loads {FILE}",
        ),
        ('[{"dev":"iax1"},{"dev":"iax3"}]', UNIT, None),
        ('[{"dev":"iax1"},{"dev":"iax3"}]', f"{UNIT.partition(' = ')[0]} = ExecStart=/opt/iaa.sh", None),
    ],
)
def test_every_configured_device_is_saved_and_loaded_or_lost(
    tmp_path: Path, saved: str, unit: str, lost: str | None
) -> None:
    first, last = iaa.detect(host(tmp_path, SPR, SECOND, RULE, f"{FILE} = {saved}", unit))

    assert notes(first) == []
    assert notes(last) == ([] if lost is None else [f"the configuration of {lost}"])
    assert lost is None or ("systemctl enable" in last.notes[0].fix) is not bool(unit)


def test_a_saved_configuration_that_this_user_may_not_read_is_not_guessed(tmp_path: Path) -> None:
    (found,) = iaa.detect(host(tmp_path, SPR, RULE, UNIT, f"{FILE} 0600"))

    assert notes(found) == []


def test_configurations_are_saved_after_the_last_device_is_configured(tmp_path: Path) -> None:
    first, last = iaa.detect(host(tmp_path, SPR, SECOND, RULE, f"{OTHER}/iax3/wq3.0/state = disabled"))

    assert [problem.what for problem in last.problems] == ["no work queue is enabled"]
    assert "accel-config save-config" not in "".join(note.fix for note in first.notes)
    assert "accel-config save-config" in last.notes[-1].fix


def test_each_queue_has_a_rule_of_its_own(tmp_path: Path) -> None:
    owners = ("/dev/iax/wq1.0 0660 0:991", "/dev/iax/wq3.0 0660 0:992")
    user = User("alice", 1000, frozenset({991, 992}), None)

    devices = iaa.detect(host(tmp_path, SPR, SECOND, CONFIGURATION, *owners, user=user))

    assert [note.fix.partition(" > ")[2] for found in devices for note in found.notes] == [
        "/etc/udev/rules.d/60-iaa-wq1.0.rules",
        "/etc/udev/rules.d/60-iaa-wq3.0.rules",
    ]


@pytest.mark.parametrize(
    ("owner", "rule", "noted"),
    [
        ("0666 0:0", "", True),
        ("0600 1000:0", "", True),
        ("0660 0:991", "", True),
        ("0660 0:991", 'KERNEL=="iax[/!]wq*"', False),
        ("0660 0:991", 'KERNEL=="dsa/wq*"', True),
        ("0660 0:991", "# nothing about iax", True),
        ("0660 0:991", 'KERNEL=="dsa!wq*|iax!wq1.0"', False),
        ("0660 0:991", 'KERNEL=="iax!wq3.0"', True),
        ("0660 0:991", 'ENV{DEVNAME}=="/dev/iax/*"', False),
    ],
)
@pytest.mark.parametrize("folder", ["/etc/udev/rules.d", "/usr/lib/udev/rules.d"])
def test_a_group_that_only_somebody_gave_to_the_node_does_not_outlive_a_boot(
    tmp_path: Path, folder: str, owner: str, rule: str, noted: bool
) -> None:
    tree = (SPR, CONFIGURATION, f"/dev/iax/wq1.0 {owner}", f"{folder}/90-lab.rules = {rule}")

    (found,) = iaa.detect(host(tmp_path, *tree, user=User("alice", 1000, frozenset({991}), None)))

    said = "who may open its queues is forgotten at the next boot: no rule of udev names them"
    assert notes(found) == [said] * noted
    mode, uid, gid = owner.replace(":", " ").split()
    given = f'OWNER="{uid}", GROUP="{gid}", MODE="{mode}"'
    assert not noted or found.notes[0].fix == (
        f'echo \'SUBSYSTEM=="dsa", KERNEL=="iax[/!]wq1.0", {given}\' > /etc/udev/rules.d/60-iaa-wq1.0.rules'
    )


def test_a_node_as_the_kernel_makes_it_needs_no_rule(tmp_path: Path) -> None:
    root = User("root", 0, frozenset({0}), None, ALL)

    assert notes(iaa.detect(host(tmp_path, SPR, CONFIGURATION, "/dev/iax/wq1.0 0600", user=root))[0]) == []
