"""Whether the counts of QAT's firmware can be read, which prove its work.

``fw_counters`` is a file of debugfs with mode 0400 (``adf_fw_counters_dbgfs_add``,
drivers/crypto/intel/qat/qat_common/adf_fw_counters.c, Linux 6.18): root's alone. The kernel's own driver has it from
Linux 6.6 on (Documentation/ABI/testing/debugfs-driver-qat, Linux 6.18), Intel's driver package for hardware 1.7 in
every release (github.com/intel/QAT_Engine/issues/78). It is the physical function's: a virtual one, in a guest, has
none.
"""

from __future__ import annotations

from typing import Final

from multifd.accelerator import QAT, Registers
from multifd.device.found import Device, Problem
from multifd.device.qat_generation import GENERATIONS
from multifd.device.sysfs import Host

COUNTING: Final = (6, 6)
"""Linux whose own driver counts."""
DEBUG: Final = "/sys/kernel/debug"
_GUESTS: Final = frozenset(f"{generation.name}vf" for generation in GENERATIONS)


def counters(host: Host, device: Device) -> Problem | None:
    """None where the counts of a QAT device can be read, else why not and the commands after which they can."""
    if device.name in _GUESTS:
        return Problem(
            "a virtual function has no counters: its physical function on the host has them",
            "# what the library says of itself is the only proof here",
        )
    if any(host.text(path) is not None for path in _files(host, device)):
        return None
    if host.user.uid != 0:
        return Problem(
            f"only root may read its counters ({DEBUG}, fw_counters)", "# run it as root, with sudo -E for example"
        )
    if not any(host.find(f"{DEBUG}/*")):
        return Problem(
            f"debugfs is not mounted, so its counters cannot be read ({DEBUG})",
            f"# on the host itself: mount -t debugfs none {DEBUG}\n# a container must be given {DEBUG} of its host",
        )
    if device.facts.get("stack") == "vfio" and host.kernel_at_least(*COUNTING) is False:
        return Problem(
            f"Linux {host.release} has no counters of QAT: fw_counters needs kernel 6.6",
            "# install a kernel of 6.6 or later, then reboot",
        )
    return Problem(
        f"its driver shows no counters ({DEBUG}/qat_*_{device.pci}/fw_counters)",
        f"ls -d {DEBUG}/qat_*\n# a device that is down has none",
    )


def _files(host: Host, device: Device) -> tuple[str, ...]:
    assert isinstance(QAT.counter, Registers)
    return tuple(host.find(QAT.counter.files.format(pci=device.pci)))
