"""Kernel, processor and IOMMU below an IAA device, one setting at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.device.iaa_device import device, problems
from tests.device.recorded import IAX

LIVE = f"{IAX}/pasid_enabled = 0"
ASKED = "/proc/cmdline = ro intel_iommu=on,sm_on"
PASIDS = "PASIDs are off although intel_iommu=on,sm_on is on the kernel's command line"


@pytest.mark.parametrize(
    ("release", "version", "said"),
    [
        ("5.17.15", "0x100", ["Linux 5.17.15 does not let processes submit to IAA: 5.18 is the first that does"]),
        ("5.18.0", "0x100", []),
        ("6.2.16", "0x100", []),
        ("6.2.16", "0x200", ["Linux 6.2.16 does not know IAA of the second generation: libqpl needs 6.3 for it,"
                             " and takes no device of a host where it cannot read one (iaa_cap)"]),
        ("6.3.0", "0x200", []),
        ("5.14.0-570.el9", "0x200", []),
        ("5.14.21-150500.55-default", "0x100", []),
    ],
)  # fmt: skip
def test_a_kernel_must_know_the_device(tmp_path: Path, release: str, version: str, said: list[str]) -> None:
    assert problems(device(tmp_path, f"kernel {release}", f"{IAX}/version = {version}")) == said


def test_a_kernel_that_is_too_old_explains_what_follows_from_it(tmp_path: Path) -> None:
    found = device(tmp_path, "kernel 5.15.0", LIVE, "/proc/cpuinfo = flags : fpu", "- /sys/class/iommu")

    assert problems(found) == ["Linux 5.15.0 does not let processes submit to IAA: 5.18 is the first that does"]


def test_of_a_processor_that_nobody_recorded_nothing_is_said(tmp_path: Path) -> None:
    assert problems(device(tmp_path, "- /proc/cpuinfo", "- /sys/class/iommu")) == []


@pytest.mark.parametrize(
    ("command_line", "asked"),
    [
        ("intel_iommu=on,sm_on", True),
        ("intel_iommu=on intel_iommu=sm_on", True),
        ("intel_iommu=sm_on", True),
        ("intel_iommu=on", False),
        ("intel_iommu=sm_on,off", False),
        ("iommu=sm_on", False),
        ("", False),
    ],
)
def test_scalable_mode_is_advised_only_where_it_was_not_asked_for(
    tmp_path: Path, command_line: str, asked: bool
) -> None:
    (problem,) = device(tmp_path, LIVE, f"/proc/cmdline = {command_line}").problems

    assert problem.what == (PASIDS if asked else "PASIDs are off: the IOMMU is not in scalable mode")
    assert ("# add intel_iommu=on,sm_on" in problem.fix) is not asked


@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        ("debian", "update-grub"),
        ("fedora", "grubby --update-kernel=ALL --args=intel_iommu=on,sm_on"),
        ("suse", "grub2-mkconfig"),
    ],
)
def test_the_command_is_that_of_the_distribution(tmp_path: Path, distribution: str, command: str) -> None:
    (problem,) = device(tmp_path, LIVE, f"/etc/os-release = ID={distribution}").problems

    assert any(line.startswith(command) for line in problem.fix.splitlines())


@pytest.mark.parametrize(
    ("capability", "ending"),
    [("", "which some kernels do not share with the IOMMU"), ("08d2008c40660462", "and the IOMMU knows only four"),
     ("19ed008c40780c66", "which some kernels do not share with the IOMMU")],
)  # fmt: skip
def test_five_levels_of_page_tables_are_told_from_other_reasons(tmp_path: Path, capability: str, ending: str) -> None:
    levels = f"/sys/devices/virtual/iommu/dmar0/intel-iommu/cap = {capability}"

    (problem,) = device(tmp_path, LIVE, ASKED, "/proc/cpuinfo = flags : enqcmd la57", levels).problems

    assert problem.what == f"{PASIDS}: the processor uses page tables of five levels (la57), {ending}"
    assert problem.fix.startswith("# add no5lvl to the options of the kernel")


def test_with_four_levels_asked_for_the_reason_is_another(tmp_path: Path) -> None:
    (problem,) = device(tmp_path, LIVE, f"{ASKED} no5lvl", "/proc/cpuinfo = flags : enqcmd la57").problems

    assert problem.what == PASIDS
    assert problem.fix.startswith("# enable VT-d")


ALTHOUGH = "although intel_iommu=on,sm_on is on the kernel's command line"
OFF = "the IOMMU is off, so the device cannot share memory with a process"


@pytest.mark.parametrize(
    ("changes", "what", "advises"),
    [
        (("/proc/cpuinfo = flags : enqcmd",), OFF, True),
        (("/proc/cpuinfo = flags : enqcmd", ASKED), f"{OFF}, {ALTHOUGH}", False),
        (("/proc/cpuinfo = flags : enqcmd hypervisor",), f"{OFF}: this guest has none", True),
        (("/proc/cpuinfo = flags : enqcmd hypervisor", ASKED), f"{OFF}: this guest has none", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pasids", [LIVE, f"- {IAX}/pasid_enabled"], ids=["off", "unknown"])
def test_an_iommu_that_is_off_is_not_one_in_the_wrong_mode(
    tmp_path: Path, pasids: str, changes: tuple[str, ...], what: str, advises: bool
) -> None:
    (problem,) = device(tmp_path, pasids, "- /sys/class/iommu", *changes).problems

    assert problem.what == what
    assert ("# add intel_iommu=on,sm_on" in problem.fix) is advises
