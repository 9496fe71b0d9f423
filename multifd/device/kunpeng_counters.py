"""Whether this user can read the counts of Kunpeng's ZIP engine, which prove its work: a file of debugfs, for root."""

from __future__ import annotations

from typing import Final

from multifd.accelerator import KUNPENG, Registers
from multifd.device.found import Device, Problem
from multifd.device.sysfs import Host

DEBUG: Final = "/sys/kernel/debug"


def counters(host: Host, device: Device) -> Problem | None:
    """None where the counts of a ZIP engine can be read, else why not and the commands after which they can.

    ``HZIP_DONE_BD_NUM`` counts up only while ``clear_enable`` is 0 (Documentation/ABI/testing/debugfs-hisi-zip,
    Linux 6.18).
    """
    assert isinstance(KUNPENG.counter, Registers)
    files = KUNPENG.counter.files.format(pci=device.pci)
    if any(host.text(path) is not None for path in host.find(files)):
        clear, kept = f"{DEBUG}/hisi_zip/{device.pci}/clear_enable", "0"
        if host.text(clear) == kept:
            return None
        return Problem("its counters are cleared when they are read (clear_enable)", f"echo {kept} > {clear}")
    if host.user.uid != 0:
        return Problem(f"only root may read its counters ({DEBUG}, regs)", "# run it as root, with sudo -E for example")
    return Problem(
        f"its driver shows no counters ({files})",
        f"mount -t debugfs none {DEBUG}\n# a virtual function has none",
    )
