"""Intel In-Memory Analytics Accelerator (IAA, in the kernel ``iax``): devices, work queues, shared virtual memory.

libqpl submits with ENQCMD to work queues that are enabled, of type user and in *shared* mode, and knows no others
(hw_queue.cpp, qpl 1.6.0; docs/devel/migration/qpl-compression.rst, QEMU 10.2). Shared queues need PASIDs, so the IOMMU
in scalable mode. By default all queues are disabled, and the kernel's iaa_crypto, where loaded, takes one queue of
every device for itself (Documentation/driver-api/crypto/iaa/iaa-crypto.rst, Linux 6.18). Attributes:
Documentation/ABI/stable/sysfs-driver-dma-idxd (Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from multifd.device import pci
from multifd.device.found import Device, Problem
from multifd.device.pci import Function
from multifd.device.sysfs import Host

GENERATIONS: Final = {0x0CFE: "spr", 0x1216: "dmr", 0xB02D: "ptl", 0xFD2D: "wcl"}
"""PCI ids with their platforms: drivers/dma/idxd/registers.h (Linux 6.18), ``..._IAX_SPR0``, ``..._IAA_DMR`` etc."""
ENTRIES: Final = 128
"""Entries of all work queues of one device; one queue may have them all."""
ENGINES: Final = 8
SCALABLE_MODE: Final = (
    'grubby --update-kernel=ALL --args="intel_iommu=on,sm_on"\n'
    "# or add intel_iommu=on,sm_on to GRUB_CMDLINE_LINUX in /etc/default/grub and run update-grub\n"
    "# VT-d and ENQCMD must be enabled in the BIOS; then reboot"
)


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """One work queue, in the words of its attributes."""

    device: str
    name: str
    state: str
    mode: str
    type: str
    driver: str

    @property
    def node(self) -> str:
        """Its character device."""
        return f"/dev/iax/{self.name}"

    def __str__(self) -> str:
        return f"{self.device}/{self.name}"


def detect(host: Host) -> tuple[Device, ...]:
    """Every IAA device, whether or not the idxd driver knows it."""
    functions = (function for function in pci.functions(host, pci.INTEL) if function.device in GENERATIONS)
    return tuple(_device(host, function) for function in functions)


def _device(host: Host, function: Function) -> Device:
    path = next(host.find(f"{function.path}/iax*"), "")
    queues = [_queue(host, one) for one in host.find(f"{path}/wq*")] if path else []
    working = [queue for queue in queues if queue.state == "enabled"]
    return Device(
        kind="iaa",
        name=path.rpartition("/")[2] or "iax",
        pci=function.address,
        generation=GENERATIONS[function.device],
        facts={
            "driver": function.driver or "none",
            "queues": ", ".join(f"{one.name} {one.type} {one.mode}" for one in working) or "none enabled",
        },
        nodes=tuple(queue.node for queue in working if _fits(queue) and host.permits(queue.node)),
        problems=tuple(_problems(host, function, path, queues)),
    )


def _queue(host: Host, path: str) -> WorkQueue:
    *_, device, name = path.split("/")
    state, mode, kind, driver = (
        host.text(f"{path}/{attribute}") or "unknown" for attribute in ("state", "mode", "type", "driver_name")
    )
    return WorkQueue(device, name, state, mode, kind, driver)


def _fits(queue: WorkQueue) -> bool:
    return (queue.state, queue.mode, queue.type) == ("enabled", "shared", "user")


def _problems(host: Host, function: Function, path: str, queues: Sequence[WorkQueue]) -> Iterator[Problem]:
    if function.driver is None:
        yield Problem("no driver is bound to it", "modprobe idxd")
        return
    if function.driver != "idxd":
        yield Problem(
            f"driver {function.driver} is bound to it instead of idxd",
            f"modprobe idxd\n{function.hand_over('idxd')}",
        )
        return
    if not path:
        yield Problem("idxd is bound to it but did not register it", "# see: dmesg | grep idxd")
        return
    yield from _platform(host, path)
    yield from _queues(host, queues, path.rpartition("/")[2])


def _platform(host: Host, path: str) -> Iterator[Problem]:
    """Shared virtual memory: processor, IOMMU, PASID."""
    flags = next((line for line in (host.text("/proc/cpuinfo") or "").splitlines() if line.startswith("flags")), "")
    if "enqcmd" not in flags.split():
        yield Problem(
            "the processor offers no ENQCMD instruction, which submits to shared work queues",
            "# enable PCIe ENQCMD in the BIOS; in a guest give the processor enqcmd",
        )
    pasid = host.text(f"{path}/pasid_enabled")
    if not any(host.find("/sys/class/iommu/*")):
        yield Problem("the IOMMU is off, so the device cannot share memory with a process", SCALABLE_MODE)
    elif pasid is None:
        # The attribute is as old as shared queues, and no device hides it (drivers/dma/idxd/sysfs.c, Linux 6.18).
        yield Problem(
            "the kernel does not say whether PASIDs are on (no pasid_enabled), so it is older than shared queues",
            "# Linux 5.11 or later is needed",
        )
    elif pasid == "0":
        yield Problem("PASIDs are off: the IOMMU is not in scalable mode", SCALABLE_MODE)


def _queues(host: Host, queues: Sequence[WorkQueue], device: str) -> Iterator[Problem]:
    """One queue that libqpl takes is enough; else name what is wrong with those that are enabled."""
    enabled = [queue for queue in queues if queue.state == "enabled"]
    if any(_fits(queue) and host.permits(queue.node) for queue in enabled):
        return
    if not enabled:
        yield Problem("no work queue is enabled", _configure(device, _first(queues, device)))
    for queue in enabled:
        yield _unfit(host, queue)


def _unfit(host: Host, queue: WorkQueue) -> Problem:
    release = f"accel-config disable-wq {queue}\naccel-config disable-device {queue.device}"
    configure = _configure(queue.device, queue.name)
    again = f"{release}\n{configure}"
    if queue.type == "kernel" and queue.driver == "crypto":
        return Problem(
            f"work queue {queue.name} belongs to the kernel's iaa_crypto",
            f"{release}\nmodprobe -r iaa_crypto\n{configure}",
        )
    if queue.type != "user":
        return Problem(f"work queue {queue.name} has type {queue.type}, not user", again)
    if queue.mode != "shared":
        return Problem(f"work queue {queue.name} is {queue.mode}, libqpl takes only shared ones", again)
    if not host.exists(queue.node):
        return Problem(f"work queue {queue.name} has no device node {queue.node}", again)
    return Problem(f"user {host.user.name} may not open {queue.node}", f"chown -R {host.user.name} /dev/iax")


def _first(queues: Sequence[WorkQueue], device: str) -> str:
    return queues[0].name if queues else f"wq{device.removeprefix('iax')}.0"


def _configure(device: str, queue: str) -> str:
    """The commands of docs/devel/migration/qpl-compression.rst (QEMU 10.2)."""
    number = device.removeprefix("iax")
    engines = (f"accel-config config-engine {device}/engine{number}.{engine} -g 0" for engine in range(ENGINES))
    return "\n".join(
        (
            *engines,
            f"accel-config config-wq {device}/{queue}"
            f" -g 0 -s {ENTRIES} -p 10 -b 1 -t {ENTRIES} -m shared -y user -n app1 -d user",
            f"accel-config enable-device {device}",
            f"accel-config enable-wq {device}/{queue}",
        )
    )
