"""Options of the kernel: set for good, once, by the commands of each distribution."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from multifd.device.boot import set_option
from tests.device.trees import host

EDIT = (
    r"""sed -i -E '/^GRUB_CMDLINE_LINUX=/{:a;s/(["\x27]| )intel_iommu(=[^ "\x27]*)?( +|(["\x27]))/\1\4/;ta;"""
    r"""s/ *(["\x27])[[:space:]]*$/ intel_iommu=on\1/}' /etc/default/grub"""
    "\n# see that GRUB_CMDLINE_LINUX in /etc/default/grub says intel_iommu=on once, between its quotes:"
    " grep CMDLINE /etc/default/grub\n"
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
    ("option", "before", "after"),
    [
        ("intel_iommu=on", '""', '" intel_iommu=on"'),
        ("intel_iommu=on", '"quiet"', '"quiet intel_iommu=on"'),
        ("intel_iommu=on", '"quiet intel_iommu=off splash"', '"quiet splash intel_iommu=on"'),
        ("intel_iommu=on", '"intel_iommu=off intel_iommu=on,sm_on"', '" intel_iommu=on"'),
        ("intel_iommu=on", "'quiet'", "'quiet intel_iommu=on'"),
        ("intel_iommu=on", '"quiet" \t', '"quiet intel_iommu=on"'),
        ("no5lvl", '"quiet"', '"quiet no5lvl"'),
        ("no5lvl", '"no5lvl quiet no5lvl"', '"quiet no5lvl"'),
        ("no5lvl", '"xno5lvl no5lvlx"', '"xno5lvl no5lvlx no5lvl"'),
    ],
)
def test_the_option_stands_once_however_often_it_is_set(tmp_path: Path, option: str, before: str, after: str) -> None:
    defaults = tmp_path / "grub"
    defaults.write_text(f'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="splash"\nGRUB_CMDLINE_LINUX={before}\n')
    edit, *_ = set_option(host(tmp_path / "host", "/etc/os-release = ID=debian"), option).splitlines()

    for _ in range(2):
        subprocess.run(["sh", "-euc", edit.replace("/etc/default/grub", str(defaults))], check=True)

    assert defaults.read_text() == (
        f'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="splash"\nGRUB_CMDLINE_LINUX={after}\n'
    )
