"""Whether QAT's counters can be read, and the command after which they can."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import qat
from multifd.device.facts import ALL, User
from multifd.device.found import Problem
from multifd.device.qat_counters import counters
from tests.device.recorded import C62X, GEN4, GUEST
from tests.device.trees import alice, host

COUNTS = "/sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters = AE Requests Responses\n/sys/kernel/debug 0700"
PACKAGE = "/sys/kernel/debug/qat_c6xx_0000:19:00.0/fw_counters = | Firmware Responses[AE  0]: 3 |"
ROOT = User("root", 0, frozenset({0}), None, ALL)

CASES = {
    "kernel's own driver": ((GEN4, COUNTS), ROOT, None),
    "driver package": ((C62X, PACKAGE, "kernel 4.18.0"), ROOT, None),
    "not root": (
        (GEN4, COUNTS),
        alice(),
        Problem(
            "only root may read its counters (/sys/kernel/debug, fw_counters)",
            "# run it as root, with sudo -E for example",
        ),
    ),
    "no debugfs": (
        (GEN4, "kernel 6.12.0"),
        ROOT,
        Problem(
            "debugfs is not mounted, so its counters cannot be read (/sys/kernel/debug)",
            "# on the host itself: mount -t debugfs none /sys/kernel/debug\n"
            "# a container must be given /sys/kernel/debug of its host",
        ),
    ),
    "kernel too old": (
        (GEN4, "kernel 6.5.12", "/sys/kernel/debug/tracing 0700"),
        ROOT,
        Problem(
            "Linux 6.5.12 has no counters of QAT: fw_counters needs kernel 6.6",
            "# install a kernel of 6.6 or later, then reboot",
        ),
    ),
    "device down": (
        (GEN4, "kernel 6.6.0", "/sys/kernel/debug/tracing 0700"),
        ROOT,
        Problem(
            "its driver shows no counters (/sys/kernel/debug/qat_*_0000:6b:00.0/fw_counters)",
            "ls -d /sys/kernel/debug/qat_*\n# a device that is down has none",
        ),
    ),
    "kernel that carries newer drivers, device down": (
        (GEN4, "kernel 5.14.0-427.el9.x86_64", "/sys/kernel/debug/tracing 0700"),
        ROOT,
        Problem(
            "its driver shows no counters (/sys/kernel/debug/qat_*_0000:6b:00.0/fw_counters)",
            "ls -d /sys/kernel/debug/qat_*\n# a device that is down has none",
        ),
    ),
    "driver package, on a kernel that does not matter": (
        (C62X, "kernel 4.18.0", "/sys/kernel/debug/tracing 0700"),
        ROOT,
        Problem(
            "its driver shows no counters (/sys/kernel/debug/qat_*_0000:19:00.0/fw_counters)",
            "ls -d /sys/kernel/debug/qat_*\n# a device that is down has none",
        ),
    ),
    "guest": (
        (GUEST, "/sys/kernel/debug/tracing 0700"),
        ROOT,
        Problem(
            "a virtual function has no counters: its physical function on the host has them",
            "# what the library says of itself is the only proof here",
        ),
    ),
}


@pytest.mark.parametrize(("trees", "user", "missing"), CASES.values(), ids=CASES)
def test_what_keeps_the_counters_away_is_named_with_the_command(
    tmp_path: Path, trees: tuple[str, ...], user: User, missing: Problem | None
) -> None:
    recorded = host(tmp_path, *trees, user=user)
    device, *_ = qat.detect(recorded)

    assert counters(recorded, device) == missing
