"""What IAA needs of a host: a kernel, ENQCMD, an IOMMU in scalable mode that shares page tables with the processor.

Shared queues need PASIDs. The driver turns them on when it takes a device; where that fails it says "Unable to turn on
user SVA feature" and goes on without (drivers/dma/idxd/init.c, Linux 6.18). The IOMMU refuses where the processor uses
five-level page tables and it does not know them ("SVM disabled, incompatible paging mode", ``intel_svm_check``,
drivers/iommu/intel/svm.c, Linux 6.10); ``no5lvl`` keeps the processor to four.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.device import boot
from multifd.device.found import Problem
from multifd.device.sysfs import Host

USER_QUEUES: Final = (5, 18)
"""Linux from which processes can submit: 5.13 to 5.17 have ENQCMD disabled by force (commits 9bfecd058339 and
7c1ef59145f1); it is the minimum of libqpl (doc/source/documentation/get_started_docs/installation.rst, qpl 1.6.0)."""
SECOND_GENERATION: Final = (6, 3)
"""The same for the second generation of IAA."""
SCALABLE_MODE: Final = "intel_iommu=on,sm_on"
FOUR_LEVELS: Final = "no5lvl"
_SETTINGS: Final = (
    "# enable VT-d, PCIe ENQCMD, ATS and PRI in the BIOS; a guest's IOMMU must be in scalable mode\n"
    "# see: dmesg | grep -i -e DMAR -e idxd"
)
_FIVE_LEVELS: Final = 1 << 60
"""In ``cap`` of an IOMMU: first-level page tables may have five levels (drivers/iommu/intel/iommu.h, Linux 6.18)."""


def missing(host: Host, path: str) -> Iterator[Problem]:
    """What keeps processes from the device at ``path`` in sysfs, whatever its queues."""
    old = next(_kernel(host, path), None)
    if old is not None:
        # Everything else follows from it: such a kernel hides ENQCMD, and PASIDs stay off.
        yield old
        return
    if host.cpu_flags and "enqcmd" not in host.cpu_flags:
        yield Problem(
            "the processor offers no ENQCMD instruction, which submits to shared work queues",
            "# enable PCIe ENQCMD in the BIOS; in a guest give the processor enqcmd",
        )
    match host.text(f"{path}/pasid_enabled"):
        case "0":
            yield _without_pasids(host)
        case None if not any(host.find("/sys/class/iommu/*")):
            yield _without_iommu(host)
        case None:
            # The attribute is as old as shared queues, and no device hides it (drivers/dma/idxd/sysfs.c, Linux 6.18).
            yield Problem(
                "the kernel does not say whether PASIDs are on (no pasid_enabled), so it is older than shared queues",
                "# install Linux 5.18 or later, then reboot",
            )


def second_generation(host: Host, path: str) -> bool:
    """Whether the device is of a later generation than the first."""
    return (host.number(f"{path}/version") or 0) >= 0x200


def _kernel(host: Host, path: str) -> Iterator[Problem]:
    if host.kernel_at_least(*USER_QUEUES) is False:
        yield Problem(
            f"Linux {host.release} does not let processes submit to IAA: 5.18 is the first that does",
            "# install Linux 5.18 or later, then reboot; settings of the firmware do not help",
        )
    elif second_generation(host, path) and host.kernel_at_least(*SECOND_GENERATION) is False:
        yield Problem(
            f"Linux {host.release} does not know IAA of the second generation: libqpl needs 6.3 for it,"
            " and takes no device of a host where it cannot read one (iaa_cap)",
            "# install Linux 6.3 or later, then reboot",
        )


def _without_iommu(host: Host) -> Problem:
    what = "the IOMMU is off, so the device cannot share memory with a process"
    option = f"{boot.set_option(host, SCALABLE_MODE)}\n"
    if _is_guest(host):
        return Problem(
            f"{what}: this guest has none",
            f"{'' if _asked_for(host) else option}"
            "# start the guest with an IOMMU in scalable mode: -device intel-iommu,x-scalable-mode=on,device-iotlb=on",
        )
    if _asked_for(host):
        return Problem(
            f"{what}, although {SCALABLE_MODE} is on the kernel's command line",
            "# enable VT-d in the BIOS\n# see: dmesg | grep -i -e DMAR -e IOMMU",
        )
    return Problem(what, f"{option}# VT-d must be enabled in the BIOS")


def _without_pasids(host: Host) -> Problem:
    """PASIDs are off: for one of the reasons that can be told apart, the likeliest first."""
    iommu = any(host.find("/sys/class/iommu/*"))
    if host.text("/sys/module/idxd/parameters/sva") == "N":
        return Problem(
            "PASIDs are off: idxd was loaded with sva=0",
            "grep -rs 'idxd.*sva' /etc/modprobe.d /proc/cmdline\n"
            "# take that away; this then ends all use of DSA and IAA:\n"
            "modprobe -r iaa_crypto idxd\nmodprobe idxd sva=1",
        )
    if not iommu and (_is_guest(host) or not _asked_for(host)):
        return _without_iommu(host)
    if not _asked_for(host):
        return Problem(
            "PASIDs are off: the IOMMU is not in scalable mode",
            f"{boot.set_option(host, SCALABLE_MODE)}\n# VT-d and ENQCMD must be enabled in the BIOS",
        )
    what = f"PASIDs are off although {SCALABLE_MODE} is on the kernel's command line"
    if "la57" in host.cpu_flags and FOUR_LEVELS not in host.command_line:
        return Problem(
            f"{what}: the processor uses page tables of five levels (la57), {_levels(host)}",
            f"{boot.set_option(host, FOUR_LEVELS)}\n# if it stays so:\n{_SETTINGS}",
        )
    return Problem(what, _SETTINGS) if iommu else _without_iommu(host)


def _levels(host: Host) -> str:
    """What is known of the levels of the IOMMU's page tables."""
    said = (host.text(path) for path in host.find("/sys/class/iommu/dmar*/intel-iommu/cap"))
    if any(not int(text, 16) & _FIVE_LEVELS for text in said if text):
        return "and the IOMMU knows only four"
    return "which some kernels do not share with the IOMMU"


def _is_guest(host: Host) -> bool:
    return "hypervisor" in host.cpu_flags


def _asked_for(host: Host) -> bool:
    """Whether the command line asks for scalable mode."""
    words = {
        word
        for option in host.command_line
        if option.startswith("intel_iommu=")
        for word in option.partition("=")[2].split(",")
    }
    return "sm_on" in words and "off" not in words
