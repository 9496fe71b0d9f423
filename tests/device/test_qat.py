"""QAT: every way between a physical function and libqat, whole and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import qat
from multifd.device.found import Problem
from tests.device.recorded import C62X, GEN4, GUEST, PF_DIR, VF_DIR
from tests.device.trees import MIB, alice, host

PF = "/sys/bus/pci/devices/0000:6b:00.0"
VF = "/sys/bus/pci/devices/0000:6b:00.1"


def test_a_4xxx_with_a_virtual_function_on_vfio_pci_is_usable(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4))

    assert device.usable
    assert (device.name, device.pci) == ("4xxx", "0000:6b:00.0")
    assert device.nodes == ("/dev/vfio/312",)
    assert device.facts == {"driver": "4xxx", "stack": "vfio", "services": "dc", "virtual functions": "1"}


@pytest.mark.parametrize("services", ["dc", "dcc", "sym;dc", "asym;dc"])
def test_every_service_with_compression_will_do(tmp_path: Path, services: str) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, f"{PF_DIR}/qat/cfg_services = {services}"))

    assert device.usable


def test_a_function_that_was_given_to_a_guest_is_usable_there(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GUEST))

    assert device.usable
    assert (device.name, device.nodes) == ("4xxxvf", ("/dev/vfio/4",))


def test_both_functions_of_a_c62x_under_intels_driver_package_are_usable(tmp_path: Path) -> None:
    devices = qat.detect(host(tmp_path, C62X))

    assert [(device.pci, device.usable) for device in devices] == [("0000:19:00.0", True), ("0000:1a:00.0", True)]
    assert devices[0].nodes == ("/dev/qat_adf_ctl", "/dev/qat_dev_processes", "/dev/usdm_drv")


@pytest.mark.parametrize("generation", qat.GENERATIONS, ids=lambda generation: generation.name)
def test_every_generation_is_known_by_its_id(tmp_path: Path, generation: qat.Generation) -> None:
    path = "/sys/bus/pci/devices/0000:6b:00.0"
    tree = f"{path}/vendor = 0x8086\n{path}/device = {generation.physical:#06x}"

    (device,) = qat.detect(host(tmp_path, tree))

    assert device.name == generation.name
    assert device.problems == (Problem("no driver is bound to it", f"modprobe {generation.module}"),)


BROKEN = {
    "driver not bound": (
        f"- {PF_DIR}/driver",
        "no driver is bound to it",
        "modprobe qat_4xxx",
    ),
    "whole device given away": (
        f"{PF_DIR}/driver -> ../../../bus/pci/drivers/vfio-pci",
        "driver vfio-pci is bound to it instead of 4xxx",
        "modprobe qat_4xxx\n"
        "echo 0000:6b:00.0 > /sys/bus/pci/drivers/vfio-pci/unbind\n"
        f"echo 4xxx > {PF}/driver_override\n"
        "echo 0000:6b:00.0 > /sys/bus/pci/drivers/4xxx/bind",
    ),
    "crypto only": (
        f"{PF_DIR}/qat/cfg_services = sym;asym",
        "its service is sym;asym, which does not compress",
        "systemctl stop qat\n"
        f"echo down > {PF}/qat/state\n"
        f"echo dc > {PF}/qat/cfg_services\n"
        f"echo up > {PF}/qat/state\n"
        "echo ServicesEnabled=dc >> /etc/sysconfig/qat\n"
        "systemctl start qat",
    ),
    "down": (
        f"{PF_DIR}/qat/state = down",
        "it is down",
        f"echo up > {PF}/qat/state",
    ),
    "down for crypto": (  # a second "down" would be refused
        f"{PF_DIR}/qat/cfg_services = sym\n{PF_DIR}/qat/state = down",
        "its service is sym, which does not compress",
        "systemctl stop qat\n"
        f"echo dc > {PF}/qat/cfg_services\n"
        f"echo up > {PF}/qat/state\n"
        "echo ServicesEnabled=dc >> /etc/sysconfig/qat\n"
        "systemctl start qat",
    ),
    "no virtual functions": (
        f"- {PF_DIR}/virtfn0\n{PF_DIR}/sriov_totalvfs = 8",
        "it has no virtual functions, and libqat works on nothing else",
        f"echo 8 > {PF}/sriov_numvfs\nsystemctl restart qat",
    ),
    "no IOMMU": (
        f"- {PF_DIR}/virtfn0\n- {PF_DIR}/iommu_group",
        "the IOMMU is off, so there can be no virtual functions for libqat",
        'grubby --update-kernel=ALL --args="intel_iommu=on"\n'
        "# or add intel_iommu=on to GRUB_CMDLINE_LINUX in /etc/default/grub and run update-grub\n"
        "# VT-d must be enabled in the BIOS; then reboot",
    ),
    "VF with the kernel's driver": (
        f"{VF_DIR}/driver -> ../../../bus/pci/drivers/4xxxvf",
        "no virtual function is bound to vfio-pci (0000:6b:00.1: 4xxxvf)",
        "modprobe vfio-pci\n"
        "echo 0000:6b:00.1 > /sys/bus/pci/drivers/4xxxvf/unbind\n"
        f"echo vfio-pci > {VF}/driver_override\n"
        "echo 0000:6b:00.1 > /sys/bus/pci/drivers/vfio-pci/bind\n"
        "# systemctl restart qat does it for all virtual functions",
    ),
    "VF without a driver": (
        f"- {VF_DIR}/driver",
        "no virtual function is bound to vfio-pci (0000:6b:00.1: no driver)",
        "modprobe vfio-pci\n"
        f"echo vfio-pci > {VF}/driver_override\n"
        "echo 0000:6b:00.1 > /sys/bus/pci/drivers/vfio-pci/bind\n"
        "# systemctl restart qat does it for all virtual functions",
    ),
    "no node": (
        "- /dev/vfio/312",
        "/dev/vfio/312 does not exist although vfio-pci is bound",
        "modprobe vfio-pci\nudevadm trigger",
    ),
    "node of root alone": (  # what remains when SELinux denies qat_init.sh: fedora-selinux/selinux-policy issues/3182
        "/dev/vfio/312 0600",
        "user alice may not open /dev/vfio/312",
        "chgrp qat /dev/vfio/312\nchmod g+rw /dev/vfio/312\nusermod -a -G qat alice\n# then log in again",
    ),
    "qatmgr missing": (
        "- /run/qat",
        "qatmgr is not running (/run/qat/qatmgr.sock does not exist)",
        "systemctl enable --now qat",
    ),
    "qatmgr gone": (
        "- /proc/1402",
        "qatmgr is not running (/run/qat/qatmgr.sock was left behind)",
        "systemctl restart qat",
    ),
    "qatmgr gone, others with such names": (
        "- /proc/1402\n/proc/1403/comm = qatmgr-watch\n/proc/1404/comm = my-qatmgr",
        "qatmgr is not running (/run/qat/qatmgr.sock was left behind)",
        "systemctl restart qat",
    ),
    "qatmgr closed": (
        "/run/qat/qatmgr.sock 0600",
        "user alice may not talk to qatmgr (/run/qat/qatmgr.sock)",
        "usermod -a -G qat alice\n# then log in again",
    ),
}


@pytest.mark.parametrize(("change", "what", "fix"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_with_the_commands_that_mend_it(
    tmp_path: Path, change: str, what: str, fix: str
) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, change))

    assert device.problems == (Problem(what, fix),)
    assert not device.usable


def test_a_low_limit_of_locked_memory_is_named_with_what_is_needed(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, user=alice(memlock=8 * MIB)))

    assert device.problems == (
        Problem(
            "user alice may lock 8192 KiB of memory, libqat needs at least 16384 KiB",
            "echo 'alice - memlock 500000' >> /etc/security/limits.conf\n# then log in again: ulimit -l shows 500000",
        ),
    )


def test_a_user_outside_the_group_reaches_neither_function_nor_manager(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, user=alice(member=False)))

    assert [problem.what for problem in device.problems] == [
        "user alice may not open /dev/vfio/312",
        "user alice may not talk to qatmgr (/run/qat/qatmgr.sock)",
    ]


def test_enough_locked_memory_is_one_share_for_every_physical_function(tmp_path: Path) -> None:
    second = GEN4.replace("6b", "70").replace("312", "329")

    devices = qat.detect(host(tmp_path, GEN4, second, user=alice(memlock=31 * MIB)))

    assert [device.problems[0].what for device in devices] == [
        "user alice may lock 31744 KiB of memory, libqat needs at least 32768 KiB"
    ] * 2


def test_one_virtual_function_that_can_be_opened_is_enough(tmp_path: Path) -> None:
    second = f"{PF_DIR}/virtfn1 -> ../0000:6b:00.2"

    (device,) = qat.detect(host(tmp_path, GEN4, second))

    assert device.usable
    assert device.facts["virtual functions"] == "2"


def test_problems_that_do_not_hide_each_other_are_all_named(tmp_path: Path) -> None:
    changes = f"{PF_DIR}/qat/cfg_services = sym\n/dev/vfio/312 0600\n- /run/qat"

    (device,) = qat.detect(host(tmp_path, GEN4, changes, user=alice(memlock=0)))

    assert [problem.what for problem in device.problems] == [
        "its service is sym, which does not compress",
        "user alice may not open /dev/vfio/312",
        "user alice may lock 0 KiB of memory, libqat needs at least 16384 KiB",
        "qatmgr is not running (/run/qat/qatmgr.sock does not exist)",
    ]


BROKEN_C62X = {
    "kernel's own driver": (
        "- /dev/usdm_drv",
        "the kernel's own driver keeps c62x for the kernel; QATzip needs Intel's driver package"
        " (/dev/usdm_drv does not exist)",
        "# unpack Intel's QAT driver for hardware 1.x, then in its directory:\n"
        "./configure && make install\n"
        "systemctl restart qat_service\n"
        "adf_ctl status",
    ),
    "crypto only": (
        "/etc/c6xx_dev1.conf = [GENERAL]\\nServicesEnabled = cy",
        "/etc/c6xx_dev1.conf enables cy, which does not compress",
        "sed -i 's/^ServicesEnabled.*/ServicesEnabled = dc/' /etc/c6xx_dev1.conf\nadf_ctl restart",
    ),
    "node of root alone": (
        "/dev/usdm_drv 0600",
        "user alice may not open /dev/usdm_drv",
        "chgrp qat /dev/usdm_drv\nchmod g+rw /dev/usdm_drv\nusermod -a -G qat alice\n# then log in again",
    ),
}


@pytest.mark.parametrize(("change", "what", "fix"), BROKEN_C62X.values(), ids=BROKEN_C62X)
def test_what_is_broken_of_a_c62x_is_named_on_the_function_that_has_it(
    tmp_path: Path, change: str, what: str, fix: str
) -> None:
    *_, second = qat.detect(host(tmp_path, C62X, change))

    assert second.problems == (Problem(what, fix),)


def test_a_guest_with_an_old_function_needs_intels_driver_for_it(tmp_path: Path) -> None:
    old = "/sys/devices/pci0000:00/0000:00:06.0/device = 0x37c9"

    (device,) = qat.detect(host(tmp_path, GUEST, old))

    assert device.name == "c62xvf"
    assert [problem.what for problem in device.problems] == ["driver vfio-pci is bound to it instead of c6xxvf"]


def test_other_functions_of_intel_are_not_accelerators(tmp_path: Path) -> None:
    network = f"{PF_DIR}/device = 0x1521\n{VF_DIR}/device = 0x1520"

    assert qat.detect(host(tmp_path, GEN4, network)) == ()
