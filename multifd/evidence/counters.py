"""Proof of hardware: counters of the device itself, read before and after a cell.

Which counter each kind of accelerator has stands in its record (:mod:`multifd.accelerator`). All count for the whole
host, so they prove only while nothing else uses the device. A counter that went backwards (reset of the device, wrap of
32 bits) proves nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from multifd.accelerator import ACCELERATORS, Event, Registers
from multifd.device.found import Device
from multifd.device.sysfs import Host
from multifd.evidence import pmu
from multifd.result.record import DeviceVerdict

Reading = Mapping[str, int | None]
"""A count for every device; None where it cannot be read."""


class Counters:
    """Counters of some devices, open for as long as they are compared."""

    def __init__(self, host: Host, devices: Sequence[Device], opener: pmu.Opener = pmu.perf_event_open) -> None:
        self._host = host
        self._descriptors: list[int] = []
        self._opener = opener
        self._sources = {f"{device.name} {device.pci}": self._source(device) for device in devices}
        self.sources = tuple(dict.fromkeys(ACCELERATORS[device.kind].counter.source for device in devices))
        """What counts, in words."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)

    @property
    def devices(self) -> tuple[str, ...]:
        """Whose they are."""
        return tuple(self._sources)

    def read(self) -> Reading:
        """All counts, now."""
        return {name: source() for name, source in self._sources.items()}

    def _source(self, device: Device) -> Callable[[], int | None]:
        match ACCELERATORS[device.kind].counter:
            case Registers() as registers:
                return lambda: _counted(self._host, device, registers)
            case Event() as event:
                return self._event(device, event)

    def _event(self, device: Device, event: Event) -> Callable[[], int | None]:
        unit = event.unit.format(name=device.name)
        kind, cpu = self._host.number(f"{unit}/type"), self._host.number(f"{unit}/cpumask")
        if kind is None or cpu is None:
            return lambda: None
        try:
            descriptor = self._opener(kind, event.config, cpu)
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


def verdict(asked: int, counted: int | None, *, silence: DeviceVerdict) -> DeviceVerdict:
    """What jobs that devices ``counted`` prove about those ``asked`` for; ``silence`` where nothing was counted.

    Where nothing was asked for, nothing is claimed.
    """
    if not asked:
        return "not claimed"
    if counted is None:
        return silence
    return "proven" if counted >= asked else "unproven"


def _counted(host: Host, device: Device, registers: Registers) -> int | None:
    if registers.kept is not None:
        file, content = registers.kept
        if host.text(file.format(pci=device.pci)) != content:
            return None
    texts = (host.text(path) or "" for path in host.find(registers.files.format(pci=device.pci)))
    counts = [int(count, 0) for text in texts for form in registers.forms for count in form.findall(text)]
    return sum(counts) if counts else None
