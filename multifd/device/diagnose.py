"""The whole host: every accelerator, and whether there is room for a run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from multifd.accelerator import ACCELERATORS
from multifd.device.found import Device, Problem
from multifd.device.proof import Proof, proofs
from multifd.device.sysfs import Host
from multifd.memory.scratch import places

ENOUGH: Final = 1200 << 20
"""Bytes that a whole run with one QEMU asks for where scratch space is made, a sixth more than its plan needs; every
further QEMU asks for more, a part of the plan for less."""
_PART: Final = "\n# or run a part, which asks for less: multifd run --suite wire"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a host has and what is wrong with it."""

    devices: tuple[Device, ...]
    proofs: tuple[Proof, ...]
    """How the work of each kind of them can be proven."""
    memory: int | None
    """Bytes available to new processes (``MemAvailable``), None if unknown."""
    shared_memory: int | None
    """Free bytes where files are memory, usually ``/dev/shm``; None if there is no such place."""
    temporary: int | None
    """Free bytes where temporary files go."""
    problems: tuple[Problem, ...]
    """With the host itself: a run would break, devices or not."""


def detect(host: Host) -> tuple[Device, ...]:
    """Every accelerator of the host, usable or not."""
    return tuple(device for kind in ACCELERATORS for device in detection(kind)(host))


def detection(kind: str) -> Callable[[Host], tuple[Device, ...]]:
    """The function that finds every accelerator of a kind: that of the module which is called like the kind."""
    detect_kind: Callable[[Host], tuple[Device, ...]] = importlib.import_module(f"multifd.device.{kind}").detect
    return detect_kind


def diagnose(host: Host, enough: int | None = ENOUGH) -> Diagnosis:
    """Look at everything; a whole run asks for ``enough`` bytes of memory and of scratch space.

    With None nobody looks for room: a recorded host has none of its own.
    """
    devices = detect(host)
    proven = proofs(host, devices)
    if enough is None:
        return Diagnosis(devices, proven, None, None, None, ())
    files, others = places()
    memory, shared, temporary = _available(host), host.free(files), Host(user=host.user).free(others)
    return Diagnosis(devices, proven, memory, shared, temporary, tuple(_room(memory, shared, temporary, enough)))


def _room(memory: int | None, shared: int | None, temporary: int | None, enough: int) -> Iterator[Problem]:
    if memory is not None and memory < enough:
        yield Problem(
            f"{memory >> 20} MiB of memory are available, a whole run asks for {enough >> 20} MiB",
            f"# end other programs{_PART}",
        )
    if max(shared or 0, temporary or 0) < enough:
        files, others = places()
        yield Problem(
            f"neither {files} nor {others} has the {enough >> 20} MiB to spare that a whole run asks for",
            f"mount -o remount,size={2 * enough >> 20}M {files}\n# or set TMPDIR{_PART}",
        )


def _available(host: Host) -> int | None:
    for line in (host.text("/proc/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) << 10
    return None
