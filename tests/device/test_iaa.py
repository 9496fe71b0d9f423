"""IAA: the device, its work queues, and the platform that lets a process submit to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import iaa
from multifd.device.found import Problem
from tests.device.recorded import IAX, SPR
from tests.device.trees import alice, host

DISABLE = "accel-config disable-wq iax1/wq1.0\naccel-config disable-device iax1\n"
RELEASE = f"# this ends what others do on iax1: fuser -v /dev/iax/*\n{DISABLE}"
CONFIGURE = (
    "accel-config config-engine iax1/engine1.0 -g 0\n"
    "accel-config config-engine iax1/engine1.1 -g 0\n"
    "accel-config config-engine iax1/engine1.2 -g 0\n"
    "accel-config config-engine iax1/engine1.3 -g 0\n"
    "accel-config config-engine iax1/engine1.4 -g 0\n"
    "accel-config config-engine iax1/engine1.5 -g 0\n"
    "accel-config config-engine iax1/engine1.6 -g 0\n"
    "accel-config config-engine iax1/engine1.7 -g 0\n"
    "accel-config config-wq iax1/wq1.0 -g 0 -s 128 -p 10 -b 1 -t 128 -m shared -y user -n app1 -d user\n"
    "accel-config enable-device iax1\n"
    "accel-config enable-wq iax1/wq1.0"
)
SCALABLE = "# add intel_iommu=on,sm_on to the options of the kernel, as this distribution does it\n# then reboot\n"
ADMIT = (
    "groupadd -f -r iaa\nchgrp iaa /dev/iax/wq1.0\nchmod g+rw /dev/iax/wq1.0\nusermod -a -G iaa alice\n"
    "# then log in again"
)
REMOVE_CRYPTO = "modprobe -r iaa_crypto\n# it is refused, without harm, while iaa_crypto has queues of other devices\n"
KEEP_CRYPTO_AWAY = (
    "\necho 'blacklist iaa_crypto' > /etc/modprobe.d/blacklist-iaa_crypto.conf\n"
    "# or iaa_crypto takes all queues again at the next boot"
)


def test_a_device_with_a_shared_user_queue_is_usable(tmp_path: Path) -> None:
    (device,) = iaa.detect(host(tmp_path, SPR))

    assert device.usable
    assert (device.name, device.pci, device.generation) == ("iax1", "0000:6a:02.0", "spr")
    assert device.nodes == ("/dev/iax/wq1.0",)
    assert device.facts == {"driver": "idxd", "queues": "wq1.0 user shared"}


@pytest.mark.parametrize(("number", "name"), iaa.GENERATIONS.items(), ids=iaa.GENERATIONS.values())
def test_every_generation_is_known_by_its_id(tmp_path: Path, number: int, name: str) -> None:
    tree = (
        f"/sys/bus/pci/devices/0000:6a:02.0/vendor = 0x8086\n/sys/bus/pci/devices/0000:6a:02.0/device = {number:#06x}"
    )

    (device,) = iaa.detect(host(tmp_path, tree))

    assert device.generation == name


BROKEN = {
    "driver not loaded": (
        f"- /sys/devices/pci0000:6a/0000:6a:02.0/driver\n- {IAX}",
        "no driver is bound to it",
        "modprobe idxd",
    ),
    "given to a guest": (
        f"/sys/devices/pci0000:6a/0000:6a:02.0/driver -> ../../../bus/pci/drivers/vfio-pci\n- {IAX}",
        "driver vfio-pci is bound to it instead of idxd",
        "# a guest that has it loses it\n"
        "modprobe idxd\n"
        "echo 0000:6a:02.0 > /sys/bus/pci/drivers/vfio-pci/unbind\n"
        "echo idxd > /sys/bus/pci/devices/0000:6a:02.0/driver_override\n"
        "echo 0000:6a:02.0 > /sys/bus/pci/drivers/idxd/bind",
    ),
    "taken by another driver": (
        f"/sys/devices/pci0000:6a/0000:6a:02.0/driver -> ../../../bus/pci/drivers/ahci\n- {IAX}",
        "driver ahci is bound to it instead of idxd",
        "modprobe idxd\n"
        "echo 0000:6a:02.0 > /sys/bus/pci/drivers/ahci/unbind\n"
        "echo idxd > /sys/bus/pci/devices/0000:6a:02.0/driver_override\n"
        "echo 0000:6a:02.0 > /sys/bus/pci/drivers/idxd/bind",
    ),
    "driver failed": (
        f"- {IAX}",
        "idxd is bound to it but did not register it",
        "# see: dmesg | grep idxd",
    ),
    "all queues disabled": (
        f"{IAX}/state = disabled\n{IAX}/wq1.0/state = disabled",
        "no work queue is enabled",
        CONFIGURE,
    ),
    "all queues disabled, not the device": (
        f"{IAX}/wq1.0/state = disabled",
        "no work queue is enabled",
        f"accel-config disable-device iax1\n{CONFIGURE}",
    ),
    "device disabled": (
        f"{IAX}/state = disabled",
        "the device is disabled, and libqpl passes over it",
        "accel-config enable-device iax1\naccel-config enable-wq iax1/wq1.0",
    ),
    "dedicated": (  # github.com/intel/qpl/issues/50
        f"{IAX}/wq1.0/mode = dedicated",
        "work queue wq1.0 is dedicated, libqpl takes only shared ones",
        RELEASE + CONFIGURE,
    ),
    "owned by iaa_crypto": (  # Documentation/driver-api/crypto/iaa/iaa-crypto.rst (Linux 6.18), default configuration
        f"{IAX}/wq1.0/mode = dedicated\n{IAX}/wq1.0/type = kernel\n{IAX}/wq1.0/driver_name = crypto",
        "work queue wq1.0 belongs to the kernel's iaa_crypto",
        DISABLE + REMOVE_CRYPTO + CONFIGURE + KEEP_CRYPTO_AWAY,
    ),
    "owned by another driver of the kernel": (
        f"{IAX}/wq1.0/type = kernel\n{IAX}/wq1.0/driver_name = dmaengine",
        "work queue wq1.0 has type kernel, not user",
        RELEASE + CONFIGURE,
    ),
    "no node": (
        "- /dev/iax/wq1.0",
        "work queue wq1.0 has no device node /dev/iax/wq1.0",
        "udevadm trigger --subsystem-match=dsa\n"
        "# a container must be given it: docker run --device /dev/iax/wq1.0, or the resource of the device plugin",
    ),
    "node of root alone": (  # github.com/intel/qpl/issues/33
        "/dev/iax/wq1.0 0600",
        "user alice may not open /dev/iax/wq1.0",
        ADMIT,
    ),
    "no ENQCMD": (
        "/proc/cpuinfo = processor\t: 0\\nflags\t\t: fpu vme movdir64b fsrm",
        "the processor offers no ENQCMD instruction, which submits to shared work queues",
        "# enable PCIe ENQCMD in the BIOS; in a guest give the processor enqcmd",
    ),
    "no IOMMU": (
        f"- /sys/class/iommu\n- {IAX}/pasid_enabled",
        "the IOMMU is off, so the device cannot share memory with a process",
        SCALABLE + "# VT-d must be enabled in the BIOS",
    ),
    "kernel without PASIDs": (  # Documentation/ABI/stable/sysfs-driver-dma-idxd (Linux 6.18): since 5.11
        f"- {IAX}/pasid_enabled",
        "the kernel does not say whether PASIDs are on (no pasid_enabled), so it is older than shared queues",
        "# install Linux 5.18 or later, then reboot",
    ),
    "no PASID": (  # github.com/intel/idxd-config/issues/5
        f"{IAX}/pasid_enabled = 0",
        "PASIDs are off: the IOMMU is not in scalable mode",
        SCALABLE + "# VT-d and ENQCMD must be enabled in the BIOS",
    ),
}


@pytest.mark.parametrize(("change", "what", "fix"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_with_the_commands_that_mend_it(
    tmp_path: Path, change: str, what: str, fix: str
) -> None:
    (device,) = iaa.detect(host(tmp_path, SPR, change))

    assert device.problems == (Problem(what, fix),)
    assert not device.usable


def test_a_user_outside_the_group_may_not_submit(tmp_path: Path) -> None:
    (device,) = iaa.detect(host(tmp_path, SPR, user=alice(member=False)))

    assert device.problems == (Problem("user alice may not open /dev/iax/wq1.0", ADMIT),)
    assert device.nodes == ()


def test_one_queue_that_can_be_used_is_enough(tmp_path: Path) -> None:
    kernel = f"{IAX}/wq1.1/state = enabled\n{IAX}/wq1.1/type = kernel\n{IAX}/wq1.1/driver_name = crypto"

    (device,) = iaa.detect(host(tmp_path, SPR, kernel))

    assert device.usable
    assert device.facts["queues"] == "wq1.0 user shared, wq1.1 kernel dedicated"


def test_what_the_platform_lacks_does_not_hide_what_the_queues_lack(tmp_path: Path) -> None:
    (device,) = iaa.detect(host(tmp_path, SPR, f"{IAX}/pasid_enabled = 0\n{IAX}/wq1.0/state = disabled"))

    assert [problem.what for problem in device.problems] == [
        "PASIDs are off: the IOMMU is not in scalable mode",
        "no work queue is enabled",
    ]
