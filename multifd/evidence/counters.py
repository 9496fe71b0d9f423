"""Counters of the devices themselves, read before and after a cell.

Which counter each kind of accelerator has stands in its record (:mod:`multifd.accelerator`). All count for the whole
host, so they prove only while nothing else uses the device (:mod:`multifd.device.exclusive`). What cannot be read says
why, and what would help.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from multifd.accelerator import ACCELERATORS, Event, Registers
from multifd.device.found import Device
from multifd.device.sysfs import Host
from multifd.evidence import pmu
from multifd.evidence.reading import Count, Reading, Unknown

_LIVE: Final = Path("/")
_PARANOID: Final = "/proc/sys/kernel/perf_event_paranoid"


class Counters:
    """Counters of some devices, open for as long as they are compared."""

    def __init__(self, host: Host, devices: Sequence[Device]) -> None:
        self._host = host
        self._opened = ExitStack()
        self._sources = {f"{device.name} {device.pci}": self._source(device) for device in devices}
        self.sources = tuple(dict.fromkeys(ACCELERATORS[device.kind].counter.source for device in devices))
        """What counts, in words."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    @property
    def devices(self) -> tuple[str, ...]:
        """Whose they are."""
        return tuple(self._sources)

    def read(self) -> Reading:
        """All counts, now."""
        return {name: source() for name, source in self._sources.items()}

    def _source(self, device: Device) -> Callable[[], Count | Unknown]:
        match ACCELERATORS[device.kind].counter:
            case Registers() as registers:
                return lambda: _registered(self._host, device, registers)
            case Event() as event:
                return self._event(device, event)

    def _event(self, device: Device, event: Event) -> Callable[[], Count | Unknown]:
        unit = event.unit.format(name=device.name)
        kind, cpu = self._host.number(f"{unit}/type"), re.match(r"\d+", self._host.text(f"{unit}/cpumask") or "")
        if kind is None or cpu is None:
            absent = Unknown(f"there is no performance unit {unit}: {event.since}; guests have none")
            return lambda: absent
        try:
            meter = self._meter(unit, kind, event.config, int(cpu[0]))
        except OSError as problem:
            refused = Unknown(self._refused(unit, problem))
            return lambda: refused
        self._opened.callback(meter.close)
        return lambda: self._metered(unit, meter)

    def _meter(self, unit: str, kind: int, config: int, cpu: int) -> pmu.Meter:
        if self._host.root != _LIVE:
            return pmu.Recorded(self._host.root / unit.lstrip("/"))
        return pmu.Opened(kind, config, cpu)

    def _metered(self, unit: str, meter: pmu.Meter) -> Count | Unknown:
        try:
            return meter.read()
        except OSError as problem:
            return Unknown(self._refused(unit, problem))
        except ValueError as problem:
            return Unknown(f"{unit} has a count that is no number of a device: {problem}")

    def _refused(self, unit: str, problem: OSError) -> str:
        if not isinstance(problem, PermissionError):
            return f"{unit}: {problem.strerror}"
        paranoid = self._host.text(_PARANOID)
        setting = "" if paranoid is None else f" (kernel.perf_event_paranoid is {paranoid})"
        return f"{unit}: {problem.strerror}: it needs root or CAP_PERFMON{setting}"


def _registered(host: Host, device: Device, registers: Registers) -> Count | Unknown:
    if registers.kept is not None:
        file, content = registers.kept[0].format(pci=device.pci), registers.kept[1]
        kept = _read(host, file)
        if isinstance(kept, Unknown):
            return kept
        if kept.strip() != content:
            return Unknown(f"{file} is not {content}: who reads a count clears it")
    pattern = registers.files.format(pci=device.pci)
    files = list(host.find(pattern))
    if not files:
        return Unknown(_absent(host, pattern, registers.since))
    counts: list[int] = []
    for file in files:
        text = _read(host, file)
        if isinstance(text, Unknown):
            return text
        try:
            counts += (int(count, 0) for form in registers.forms for count in form.findall(text))
        except ValueError as problem:
            return Unknown(f"{file} has a count that is no number of a device: {problem}")
    return Count(sum(counts)) if counts else Unknown(f"{files[0]} has no count in it")


def _read(host: Host, path: str) -> str | Unknown:
    file = host.root / path.lstrip("/")
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            # To open a pipe would wait for who writes into it; a directory says itself what it is.
            return Unknown(f"{path}: is no regular file")
        return file.read_text(encoding="utf-8", errors="replace")
    except PermissionError as problem:
        return Unknown(f"{path}: {problem.strerror}: it needs root")
    except OSError as problem:
        return Unknown(f"{path}: {problem.strerror}")


def _absent(host: Host, pattern: str, since: str) -> str:
    """Why no file has this pattern: none is there, or a directory above it is closed, as debugfs is (0700)."""
    directory = host.root / re.match(r"[^*]*/", pattern)[0].lstrip("/")  # type: ignore[index]
    try:
        next(directory.iterdir(), None)
    except PermissionError as problem:
        return f"{pattern}: {problem.strerror}: it needs root"
    except OSError:
        pass
    return f"there is no {pattern}: {since}; guests and containers have none"
