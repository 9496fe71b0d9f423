"""An IAA device on which nothing is wrong, and what is said of it; a test changes one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from multifd.device import iaa
from multifd.device.found import Device
from tests.device.recorded import SPR
from tests.device.trees import host

FILE: Final = "/etc/accel-config/accel-config.conf"
UNIT: Final = (
    f"/etc/systemd/system/multi-user.target.wants/lab.service = ExecStart=accel-config load-config -e -c {FILE}"
)
CONFIGURATION: Final = f'{FILE} = [{{"dev":"iax1"}}, {{"dev" : "iax3"}}]\n{UNIT}'
RULE: Final = '/etc/udev/rules.d/60-iaa.rules = KERNEL=="iax[/!]wq*"'
SAVED: Final = f"{CONFIGURATION}\n{RULE}"
OTHER: Final = "/sys/devices/pci0000:e7/0000:e7:02.0"
SECOND: Final = SPR.replace("0000:6a", "0000:e7").replace("iax1", "iax3").replace("wq1.", "wq3.")
"""The same device again, at another place."""


def device(root: Path, *changes: str) -> Device:
    """The device on a host with these changes."""
    return iaa.detect(host(root, SPR, SAVED, *changes))[0]


def notes(found: Device) -> list[str]:
    """What is noted of it."""
    return [note.what for note in found.notes]


def problems(found: Device) -> list[str]:
    """What is wrong with it."""
    return [problem.what for problem in found.problems]
