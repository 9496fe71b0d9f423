"""Whether this user can read IAA's own count of jobs, which proves its work.

The driver registers a performance unit ``iax<n>`` (drivers/dma/idxd/perfmon.c, Linux 6.18, ``perfmon_pmu_init``: not in
a guest, nor without CONFIG_INTEL_IDXD_PERFMON). It counts for all processes, which the kernel allows with
``perf_event_paranoid`` at 0 or less, or with CAP_PERFMON (``perf_allow_cpu``, include/linux/perf_event.h, Linux 6.18;
CAP_SYS_ADMIN has it, too: ``perfmon_capable``, include/linux/capability.h, Linux 6.18).
"""

from __future__ import annotations

from typing import Final

from multifd.accelerator import IAA, Event
from multifd.device.found import Device, Problem
from multifd.device.sysfs import Host

PARANOID: Final = "/proc/sys/kernel/perf_event_paranoid"
STRICT: Final = 2
"""The kernel's default (Documentation/admin-guide/sysctl/kernel.rst, Linux 6.18)."""
CAPABLE: Final = frozenset({"cap_perfmon", "cap_sys_admin"})
OPTION: Final = "CONFIG_INTEL_IDXD_PERFMON"


def counters(host: Host, device: Device) -> Problem | None:
    """None where the jobs of an IAA device can be counted, else why not and the commands after which they can."""
    assert isinstance(IAA.counter, Event)
    unit = IAA.counter.unit.format(name=device.name)
    if not host.exists(unit):
        return _without_unit(host, unit)
    paranoid = host.number(PARANOID)
    paranoid = STRICT if paranoid is None else paranoid
    if paranoid <= 0 or CAPABLE & host.user.capabilities:
        return None
    what = f"user {host.user.name} may not count for all processes: perf_event_paranoid is {paranoid}"
    if host.user.uid == 0:
        return Problem(f"{what}, and its container took CAP_PERFMON", "# start the container with --cap-add=PERFMON")
    return Problem(
        what,
        'setcap cap_perfmon+ep "$(readlink -f "$(command -v python3)")"\n'
        "# every user of this Python can then count; or, until the next boot, everybody:\n"
        "# sysctl kernel.perf_event_paranoid=0",
    )


def _without_unit(host: Host, unit: str) -> Problem:
    if "hypervisor" in host.cpu_flags:
        return Problem(
            f"a guest's device has no performance unit ({unit})",
            "# the unit is on the host of this guest",
        )
    configuration = host.text(f"/boot/config-{host.release}")
    if configuration is not None and f"{OPTION}=y" not in configuration.splitlines():
        return Problem(
            f"this kernel was built without {OPTION}, so the device has no performance unit ({unit})",
            f"# install a kernel with {OPTION}=y, then reboot",
        )
    return Problem(
        f"its driver registered no performance unit ({unit})",
        "# see: dmesg | grep -i perfmon",
    )
