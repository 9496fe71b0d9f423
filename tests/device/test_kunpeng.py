"""Kunpeng's ZIP engine: registered with uacce, with shared virtual addressing, open to the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import kunpeng
from multifd.device.found import Problem
from tests.device.recorded import KUNPENG, ZIP, ZIP_UACCE
from tests.device.trees import alice, host


def test_a_registered_engine_is_usable(tmp_path: Path) -> None:
    (device,) = kunpeng.detect(host(tmp_path, KUNPENG))

    assert device.usable
    assert (device.name, device.pci, device.nodes) == ("hisi_zip-4", "0000:75:00.0", ("/dev/hisi_zip-4",))
    assert device.facts == {"driver": "hisi_zip", "free queues": "256"}


def test_a_virtual_function_is_an_engine_too(tmp_path: Path) -> None:
    (device,) = kunpeng.detect(host(tmp_path, KUNPENG, f"{ZIP}/device = 0xa251"))

    assert device.usable


KEEP = "echo options hisi_zip uacce_mode=1 > /etc/modprobe.d/hisi_zip.conf"
RELOAD = f"# the kernel's own use of it (crypto API) stops meanwhile:\nmodprobe -r hisi_zip\n{KEEP}\nmodprobe hisi_zip"

BROKEN = {
    "driver not loaded": (
        f"- {ZIP}/driver\n- {ZIP}/uacce",
        "no driver is bound to it",
        f"modprobe uacce\n{KEEP}\nmodprobe hisi_zip",
    ),
    "kernel only": (
        f"- {ZIP}/uacce",
        "hisi_zip gives it to the kernel only: it is not registered with uacce",
        RELOAD,
    ),
    "without SVA": (  # github.com/Linaro/uadk/issues/259: uacce_mode=2
        f"{ZIP_UACCE}/flags = 128",
        "it works without shared virtual addressing, which UADK needs",
        f"{RELOAD}\n# the SMMU must be enabled in the BIOS",
    ),
    "without zlib": (
        f"{ZIP_UACCE}/algorithms = lz77_zstd",
        "it does not offer zlib (it offers lz77_zstd)",
        "# use another device: this one cannot run the method uadk",
    ),
    "all queues taken": (  # github.com/Linaro/uadk/pull/26: all 64 queues of QM are busy
        f"{ZIP_UACCE}/available_instances = 0",
        "all its queues are taken",
        "fuser -v /dev/hisi_zip-4\n# end a process that holds it",
    ),
    "no node": (
        "- /dev/hisi_zip-4",
        "it has no device node /dev/hisi_zip-4",
        "udevadm trigger --subsystem-match=uacce",
    ),
    "node of root alone": (
        "/dev/hisi_zip-4 0600",
        "user alice may not open /dev/hisi_zip-4",
        'echo \'KERNEL=="hisi_zip-*", OWNER="alice"\' > /etc/udev/rules.d/60-hisi-zip.rules\n'
        "udevadm control --reload && udevadm trigger --subsystem-match=uacce",
    ),
}


@pytest.mark.parametrize(("change", "what", "fix"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_with_the_commands_that_mend_it(
    tmp_path: Path, change: str, what: str, fix: str
) -> None:
    (device,) = kunpeng.detect(host(tmp_path, KUNPENG, change))

    assert device.problems == (Problem(what, fix),)
    assert not device.usable


def test_a_function_of_another_vendor_with_that_id_is_none(tmp_path: Path) -> None:
    assert kunpeng.detect(host(tmp_path, KUNPENG, f"{ZIP}/vendor = 0x8086")) == ()


def test_an_engine_that_is_not_registered_is_called_by_its_driver_and_has_no_node(tmp_path: Path) -> None:
    (device,) = kunpeng.detect(host(tmp_path, KUNPENG, f"- {ZIP}/uacce"))

    assert (device.name, device.nodes) == ("hisi_zip", ())


def test_a_user_outside_the_group_may_not_open_it(tmp_path: Path) -> None:
    (device,) = kunpeng.detect(host(tmp_path, KUNPENG, user=alice(member=False)))

    assert device.nodes == ()
    assert [problem.what for problem in device.problems] == ["user alice may not open /dev/hisi_zip-4"]
