"""Proof of hardware: counters of the device itself, read before and after a cell.

=======  =================================================================
device   counter
=======  =================================================================
QAT      debugfs ``qat_<driver>_<pci>/fw_counters``: responses of the
         firmware on all engines, for all VFs of the PF
IAA      PMU ``iax<n>``: descriptors submitted to shared queues
Kunpeng  debugfs ``hisi_zip/<pci>/*core*/regs``: ``HZIP_DONE_BD_NUM``
=======  =================================================================

Sources: Documentation/ABI/testing/debugfs-driver-qat (Linux 6.18), :mod:`multifd.evidence.pmu`,
drivers/crypto/hisilicon/zip/zip_main.c (Linux 6.18).

All count for the whole host, so they prove only while nothing else uses the device. What is near at hand and proves
nothing: Kunpeng's ``zip_dfx/send_cnt`` counts the kernel's own requests, not those of UADK; QAT's telemetry shows
one second's load, not a total. A counter that went backwards (reset of the device, wrap of 32 bits) proves nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from multifd.device.model import Device
from multifd.device.sysfs import Host
from multifd.evidence import pmu
from multifd.result.record import DeviceVerdict

Reading = Mapping[str, int | None]
"""A count for every device; None where it cannot be read."""

_RESPONSES: Final = (
    re.compile(r"^\s*\d+:\s+\d+\s+(\d+)$", re.MULTILINE),
    re.compile(r"^\| Firmware Responses\s*\[AE\s+\d+\]:\s+(\d+) \|$", re.MULTILINE),
)
"""``fw_counters`` as the kernel's driver and as Intel's driver package write it."""
_DONE: Final = re.compile(r"^HZIP_DONE_BD_NUM\s*=\s*(0x[0-9a-f]+)$", re.MULTILINE)


class Counters:
    """Counters of some devices, open for as long as they are compared."""

    def __init__(self, host: Host, devices: Sequence[Device], opener: pmu.Opener = pmu.perf_event_open) -> None:
        self._host = host
        self._descriptors: list[int] = []
        self._opener = opener
        self._sources = {f"{device.name} {device.pci}": self._source(device) for device in devices}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)

    def read(self) -> Reading:
        """All counts, now."""
        return {name: source() for name, source in self._sources.items()}

    def _source(self, device: Device) -> Callable[[], int | None]:
        match device.kind:
            case "qat":
                return lambda: _firmware(self._host, device)
            case "kunpeng":
                return lambda: _finished(self._host, device)
            case "iaa":
                return self._submitted(device)

    def _submitted(self, device: Device) -> Callable[[], int | None]:
        events = f"/sys/bus/event_source/devices/{device.name}"
        kind, cpu = self._host.number(f"{events}/type"), self._host.number(f"{events}/cpumask")
        if kind is None or cpu is None:
            return lambda: None
        try:
            descriptor = self._opener(kind, pmu.SUBMITTED, cpu)
        except OSError:
            return lambda: None
        self._descriptors.append(descriptor)
        return lambda: int(pmu.COUNT.unpack(os.read(descriptor, pmu.COUNT.size))[0])


def moved(before: Reading, after: Reading) -> int | None:
    """Jobs that the devices did between two readings; None if a count is missing or went backwards."""
    total = 0
    for name, earlier in before.items():
        later = after.get(name)
        if earlier is None or later is None or later < earlier:
            return None
        total += later - earlier
    return total if before else None


def verdict(asked: int, jobs: int | None) -> DeviceVerdict:
    """What ``jobs`` that devices did prove about the ``asked`` for; where none was asked for, nothing is claimed."""
    if not asked:
        return "not claimed"
    return "proven" if jobs is not None and jobs >= asked else "unproven"


def _firmware(host: Host, device: Device) -> int | None:
    texts = [host.text(path) for path in host.find(f"/sys/kernel/debug/qat_*_{device.pci}/fw_counters")]
    counts = [count for text in texts if text for form in _RESPONSES for count in form.findall(text)]
    return sum(map(int, counts)) if counts else None


def _finished(host: Host, device: Device) -> int | None:
    engine = f"/sys/kernel/debug/hisi_zip/{device.pci}"
    if host.text(f"{engine}/clear_enable") != "0":
        return None
    counts = [count for path in host.find(f"{engine}/*core*/regs") for count in _DONE.findall(host.text(path) or "")]
    return sum(int(count, 16) for count in counts) if counts else None
