"""Options of the kernel: set for good, once, by the commands of each distribution."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from multifd.device.boot import set_option
from tests.device.trees import host

EDIT = (
    'sed -i -E \'/^GRUB_CMDLINE_LINUX=/{s/ *intel_iommu=[^ "]*//; s/"$/ intel_iommu=on"/}\' /etc/default/grub\n'
    "# /etc/default/grub must say intel_iommu=on once\n"
)


@pytest.mark.parametrize(
    ("distribution", "commands"),
    [
        ("fedora", "grubby --update-kernel=ALL --args=intel_iommu=on\n# then reboot"),
        ("ubuntu", f"{EDIT}update-grub\n# then reboot"),
        ("sles", f"{EDIT}grub2-mkconfig -o /boot/grub2/grub.cfg\n# then reboot"),
        (
            "slackware",
            "# add intel_iommu=on to the options of the kernel, as this distribution does it\n# then reboot",
        ),
    ],
)
def test_every_family_has_its_commands(tmp_path: Path, distribution: str, commands: str) -> None:
    assert set_option(host(tmp_path, f"/etc/os-release = ID={distribution}"), "intel_iommu=on") == commands


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", " intel_iommu=on"),
        ("quiet", "quiet intel_iommu=on"),
        ("quiet intel_iommu=off splash", "quiet splash intel_iommu=on"),
    ],
)
def test_the_option_stands_once_however_often_it_is_set(tmp_path: Path, before: str, after: str) -> None:
    defaults = tmp_path / "grub"
    defaults.write_text(f'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="splash"\nGRUB_CMDLINE_LINUX="{before}"\n')
    edit, *_ = set_option(host(tmp_path / "host", "/etc/os-release = ID=debian"), "intel_iommu=on").splitlines()

    for _ in range(2):
        subprocess.run(["sh", "-euc", edit.replace("/etc/default/grub", str(defaults))], check=True)

    assert defaults.read_text() == (
        f'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="splash"\nGRUB_CMDLINE_LINUX="{after}"\n'
    )
