"""QAT under Intel's driver package: nodes, uio, configuration, libraries, whole and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import qat
from multifd.device.found import BOTH, Problem
from tests.device.recorded import C62X, C62X_FIRST, C62X_SECOND, C62X_SECTION, GEN4, GUEST, PF_DIR, VF_DIR
from tests.device.trees import alice, host

RESTART = "# this stops whoever else uses QAT on this host for a moment:\nadf_ctl restart"
GEN4_PACKAGE = f"""
- /run/qat
- {PF_DIR}/qat
{VF_DIR}/driver -> ../../../bus/pci/drivers/4xxxvf
{VF_DIR}/uio/uio3/name = qat
/dev/uio3 0660
/dev/qat_adf_ctl 0660
/dev/qat_dev_processes 0660
/dev/usdm_drv 0660
/etc/4xxxvf_dev0.conf = [GENERAL]\\nServicesEnabled = dc\\n{C62X_SECTION}
"""
"""A 4xxx with one virtual function for its own host: github.com/intel/qatlib/issues/79 (names of the files)."""


def test_both_functions_of_a_c62x_are_usable(tmp_path: Path) -> None:
    devices = qat.detect(host(tmp_path, C62X))

    assert [(device.pci, device.usable) for device in devices] == [("0000:19:00.0", True), ("0000:1a:00.0", True)]
    assert devices[0].nodes == ("/dev/qat_adf_ctl", "/dev/qat_dev_processes", "/dev/usdm_drv", "/dev/uio0")
    assert (devices[0].name, devices[0].generation, devices[0].notes) == ("c62x", "c62x", ())
    assert devices[0].facts == {"driver": "c6xx", "stack": "adf", "processes": "16 at a time"}
    assert (devices[0].directions, devices[0].processes) == (BOTH, 16)


@pytest.mark.parametrize(
    ("limited", "counts", "processes"),
    [
        (0, (16, 4), 4),  # each process has something of every device
        (1, (16, 4), 20),  # each has one device: github.com/intel/QATzip/issues/75
    ],
)
def test_a_section_serves_its_processes_of_each_device_or_of_all_together(
    tmp_path: Path, limited: int, counts: tuple[int, int], processes: int
) -> None:
    sections = [
        f"/etc/c6xx_dev{number}.conf = [SHIM]\\nNumberDcInstances = 1\\nNumProcesses = {count}\\n"
        f"LimitDevAccess = {limited}"
        for number, count in enumerate(counts)
    ]

    devices = qat.detect(host(tmp_path, C62X, *sections))

    assert [(device.processes, device.facts["processes"]) for device in devices] == [
        (processes, f"{processes} at a time")
    ] * 2


BROKEN = {
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
        f"/etc/c6xx_dev1.conf = [GENERAL]\\nServicesEnabled = cy\\n{C62X_SECTION}",
        "/etc/c6xx_dev1.conf enables cy, which does not compress",
        "# this takes cy from whoever uses it here:\n"
        f"sed -i 's/^ServicesEnabled.*/ServicesEnabled = dc/' /etc/c6xx_dev1.conf\n{RESTART}",
    ),
    "no section for anybody": (
        "/etc/c6xx_dev1.conf = [GENERAL]\\nServicesEnabled = dc\\n[KERNEL]\\nNumberDcInstances = 2",
        "/etc/c6xx_dev1.conf has no section [SHIM], which libqatzip starts",
        "grep -q '^\\[SHIM\\]' /etc/c6xx_dev1.conf || printf '\\n[SHIM]\\nNumberCyInstances = 0\\n"
        "NumberDcInstances = 1\\nNumProcesses = 16\\nLimitDevAccess = 0\\n"
        'Dc0Name = "Dc0"\\nDc0IsPolled = 1\\nDc0CoreAffinity = 0\\n\' >> /etc/c6xx_dev1.conf\n'
        f"# other sections may have to give up instances for it: adf_ctl says so\n{RESTART}",
    ),
    "no configuration": (
        "- /etc/c6xx_dev1.conf",
        "/etc/c6xx_dev1.conf does not exist, and adf_ctl starts no device without",
        RESTART,
    ),
    "key without a number": (
        "/etc/c6xx_dev1.conf = [SHIM]\\nNumberDcInstances = many\\nNumProcesses = 2",
        "/etc/c6xx_dev1.conf, section [SHIM], has NumberDcInstances = 0: no instance that compresses",
        "sed -i '/^\\[SHIM\\]/,/^\\[/{/^NumberDcInstances *=/d}; s/^\\[SHIM\\]/&\\nNumberDcInstances = 1/'"
        f" /etc/c6xx_dev1.conf\n{RESTART}",
    ),
    "node of root alone": (
        "/dev/uio1 0600",
        "user alice may not open /dev/uio1",
        "chgrp qat /dev/uio1\nchmod g+rw /dev/uio1\nusermod -a -G qat alice\n# then log in again",
    ),
    "service not running": (
        "- /dev/qat_adf_ctl\n- /dev/qat_dev_processes",
        "/dev/qat_adf_ctl /dev/qat_dev_processes does not exist",
        "systemctl restart qat_service\nadf_ctl status",
    ),
    "down": (
        f"- {C62X_SECOND}/uio",
        "it is down for user space (no uio below it)",
        "systemctl restart qat_service\nadf_ctl status\n# dmesg | grep c6xx says why it stays so",
    ),
    "IOMMU on, Debian": (
        f"- {C62X_SECOND}/uio\n{C62X_SECOND}/iommu_group -> ../../kernel/iommu_groups/7\n/etc/os-release = ID=debian",
        "the IOMMU is on, and Intel's driver package gives no physical function to user space then"
        ' ("Cannot use PF with IOMMU enabled")',
        "# with the IOMMU only its virtual functions work, in guests that have the package\n"
        "# without it IAA does not work, and guests can have no devices (vfio):\n"
        r"""sed -i -E '/^GRUB_CMDLINE_LINUX=/{:a;s/(["\x27]| )intel_iommu(=[^ "\x27]*)?( +|(["\x27]))/\1\4/;ta;"""
        r"""s/ *(["\x27])[[:space:]]*$/ intel_iommu=off\1/}' /etc/default/grub"""
        "\n"
        "# see that GRUB_CMDLINE_LINUX in /etc/default/grub says intel_iommu=off once, between its quotes:"
        " grep CMDLINE /etc/default/grub\n"
        "update-grub\n"
        "# then reboot",
    ),
    "other driver": (
        f"{C62X_SECOND}/driver -> ../../../../../bus/pci/drivers/vfio-pci",
        "driver vfio-pci is bound to it instead of c6xx",
        "# whoever uses it through vfio-pci (a guest, DPDK) loses it:\n"
        "modprobe qat_c62x\n"
        "echo 0000:1a:00.0 > /sys/bus/pci/drivers/vfio-pci/unbind\n"
        "echo c6xx > /sys/bus/pci/devices/0000:1a:00.0/driver_override\n"
        "echo 0000:1a:00.0 > /sys/bus/pci/drivers/c6xx/bind",
    ),
    "library of qatlib": (
        "library libqat.so.4 26.08.0",
        "Intel's driver package has it, and only qatlib's libqat.so.4 is installed, which works with the kernel's own"
        " driver alone: the package's library is libqat_s.so",
        "# build QATzip against the package: ./configure --with-ICP_ROOT=<its directory> && make install",
    ),
}


@pytest.mark.parametrize(("change", "what", "fix"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_on_the_function_that_has_it(tmp_path: Path, change: str, what: str, fix: str) -> None:
    *_, second = qat.detect(host(tmp_path, C62X, change))

    assert second.problems == (Problem(what, fix),)
    assert (second.usable, second.processes) == (False, None)
    assert "processes" not in second.facts


@pytest.mark.parametrize("libraries", ["library libqat_s.so 4.25.0", "library libqat_s.so 1\nlibrary libqat.so.4 2"])
def test_the_library_of_the_package_fits_it(tmp_path: Path, libraries: str) -> None:
    first, _ = qat.detect(host(tmp_path, C62X, libraries))

    assert first.usable


def test_all_that_a_configuration_lacks_is_named_at_once(tmp_path: Path) -> None:
    first, _ = qat.detect(host(tmp_path, C62X, "/etc/c6xx_dev0.conf = [GENERAL]\\nServicesEnabled = sym\\n[SHIM]"))

    assert [problem.what for problem in first.problems] == [
        "/etc/c6xx_dev0.conf enables sym, which does not compress",
        "/etc/c6xx_dev0.conf, section [SHIM], has NumberDcInstances = 0: no instance that compresses",
        "/etc/c6xx_dev0.conf, section [SHIM], has NumProcesses = 0: not enough: a sender and a receiver are two",
    ]


def test_comments_and_blanks_of_a_configuration_are_no_keys(tmp_path: Path) -> None:
    conf = "[SHIM]\\n# NumProcesses = 1\\n  NumProcesses=3 # all\\nDc0Name = [x]\\n\\nNumberDcInstances  =  2\\n#[END]"

    first, _ = qat.detect(host(tmp_path, C62X, f"/etc/c6xx_dev0.conf = {conf}"))

    assert (first.usable, first.processes) == (True, 3)


def test_a_configuration_that_this_user_may_not_read_is_noted_and_not_guessed(tmp_path: Path) -> None:
    closed = "/etc/c6xx_dev0.conf 0640 0:77\n/etc/c6xx_dev1.conf 0640 0:77"

    first, _ = qat.detect(host(tmp_path, C62X, closed))

    assert (first.usable, first.processes) == (True, None)
    assert first.notes == (
        Problem(
            "user alice may not read /etc/c6xx_dev0.conf: section SHIM was not looked at",
            "# as root: grep -A 4 '^\\[SHIM\\]' /etc/c6xx_dev0.conf",
        ),
    )


def test_the_iommu_does_not_matter_to_a_function_that_is_up(tmp_path: Path) -> None:
    change = f"{C62X_FIRST}/iommu_group -> ../../kernel/iommu_groups/7"

    first, _ = qat.detect(host(tmp_path, C62X, change))

    assert first.usable


def test_the_virtual_functions_of_a_4xxx_work_for_its_own_host(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, GEN4_PACKAGE))

    assert (device.usable, device.facts["stack"], device.processes) == (True, "adf", 16)
    assert device.nodes == ("/dev/qat_adf_ctl", "/dev/qat_dev_processes", "/dev/usdm_drv", "/dev/uio3")


def test_the_drivers_of_virtual_functions_tell_the_package(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, GEN4_PACKAGE, "- /dev/usdm_drv"))

    assert device.problems == (
        Problem(
            "Intel's driver package has it, and its memory is missing (/dev/usdm_drv does not exist)",
            "modprobe usdm_drv\nsystemctl restart qat_service\nadf_ctl status",
        ),
    )


def test_virtual_functions_that_guests_have_leave_none_to_the_host(tmp_path: Path) -> None:
    change = f"{VF_DIR}/driver -> ../../../bus/pci/drivers/vfio-pci\n- {VF_DIR}/uio"

    (device,) = qat.detect(host(tmp_path, GEN4, GEN4_PACKAGE, change))

    assert device.problems == (
        Problem(
            "Intel's driver package has it, and all its virtual functions are bound to vfio-pci, for guests",
            "# if no guest has one:\n"
            "echo 0 > /sys/bus/pci/devices/0000:6b:00.0/sriov_numvfs\n"
            "systemctl restart qat_service\n"
            "adf_ctl status",
        ),
    )


def test_a_4xxx_whose_iommu_is_on_can_change_to_the_kernels_own_driver(tmp_path: Path) -> None:
    change = f"- {PF_DIR}/virtfn0"

    (device,) = qat.detect(host(tmp_path, GEN4, GEN4_PACKAGE, change))

    assert [problem.fix for problem in device.problems] == [
        "# with the IOMMU: remove the package, and use the kernel's own driver with qatlib\n"
        "# without it IAA does not work, and guests can have no devices (vfio):\n"
        "# add intel_iommu=off to the options of the kernel, as this distribution does it\n"
        "# then reboot"
    ]


def test_files_are_numbered_by_driver(tmp_path: Path) -> None:
    second = GEN4.replace("6b", "70") + GEN4_PACKAGE.replace("6b", "70").replace("uio3", "uio4").replace("dev0", "dev1")

    devices = qat.detect(host(tmp_path, GEN4, GEN4_PACKAGE, C62X, second, "- /etc/4xxxvf_dev1.conf"))

    assert [device.problems[0].what if device.problems else "" for device in devices] == [
        "",
        "",
        "",
        "/etc/4xxxvf_dev1.conf does not exist, and adf_ctl starts no device without",
    ]


def test_a_guest_with_a_function_of_the_package_is_usable(tmp_path: Path) -> None:
    path = "/sys/devices/pci0000:00/0000:00:06.0"
    change = (
        f"{path}/device = 0x37c9\n{path}/driver -> ../../../bus/pci/drivers/c6xxvf\n{path}/uio/uio0/name = c6xxvf\n"
        "/dev/uio0 0660\n/dev/usdm_drv 0660\n/dev/qat_adf_ctl 0660\n/dev/qat_dev_processes 0660\n"
        f"/etc/c6xxvf_dev0.conf = {C62X_SECTION}"
    )

    (device,) = qat.detect(host(tmp_path, GUEST, change))

    assert (device.name, device.usable, device.processes) == ("c62xvf", True, 16)


def test_a_user_outside_the_group_reaches_no_node(tmp_path: Path) -> None:
    first, _ = qat.detect(host(tmp_path, C62X, user=alice(member=False)))

    assert first.nodes == ()
    assert [problem.what for problem in first.problems] == [
        "user alice may not open /dev/qat_adf_ctl /dev/qat_dev_processes /dev/usdm_drv /dev/uio0"
    ]
