"""The whole host: every accelerator, and whether there is room for a run."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from multifd.accelerator import ACCELERATORS
from multifd.device.found import Device, Problem
from multifd.device.proof import Proof, proofs
from multifd.device.sysfs import Host

ENOUGH: Final = 1 << 30
"""Bytes of memory and of scratch space that a run of the default size may need."""
SHARED_MEMORY: Final = "/dev/shm"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a host has and what is wrong with it."""

    devices: tuple[Device, ...]
    proofs: tuple[Proof, ...]
    """How the work of each kind of them can be proven."""
    memory: int | None
    """Bytes available to new processes (``MemAvailable``), None if unknown."""
    shared_memory: int | None
    """Free bytes in ``/dev/shm``, None if there is none."""
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
    """Look at everything; a run needs ``enough`` bytes of memory and of scratch space.

    With None nobody looks for room: a recorded host has none of its own.
    """
    devices = detect(host)
    proven = proofs(host, devices)
    if enough is None:
        return Diagnosis(devices, proven, None, None, ())
    memory, shared = _available(host), host.free(SHARED_MEMORY)
    return Diagnosis(devices, proven, memory, shared, tuple(_room(host, memory, shared, enough)))


def _room(host: Host, memory: int | None, shared: int | None, enough: int) -> Iterator[Problem]:
    temporary = Host(user=host.user).free(tempfile.gettempdir())
    if memory is not None and memory < enough:
        yield Problem(
            f"{memory >> 20} MiB of memory are available, a run needs {enough >> 20} MiB", "# end other programs"
        )
    if max(shared or 0, temporary or 0) < enough:
        yield Problem(
            f"neither {SHARED_MEMORY} nor {tempfile.gettempdir()} has {enough >> 20} MiB to spare",
            f"mount -o remount,size={2 * enough >> 20}M {SHARED_MEMORY}\n# or set TMPDIR",
        )


def _available(host: Host) -> int | None:
    for line in (host.text("/proc/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) << 10
    return None
