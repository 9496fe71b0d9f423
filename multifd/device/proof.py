"""Whether a run on this host can prove that a device did the work, and by what.

The device's own counters are the best witness: they count whatever any library says. Whether they can be read is the
matter of ``multifd/device/<kind>_counters.py``, where there is one. A library's own word needs no privilege, and is
there in guests and containers as well. Where there is neither, hardware stays *unverified*.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

from multifd.accelerator import ACCELERATORS, IAA, QAT, Registers
from multifd.device.found import Device, Problem
from multifd.device.sysfs import Host

LIBRARY: Final[Mapping[str, str]] = MappingProxyType(
    {
        QAT.kind: "libqatzip counts the bytes that its hardware path took, and says when software did a call",
        IAA.kind: "libqpl's hardware path ends with an error where no device takes a job, it never goes on in software",
    }
)
"""What each library says of its own work: ``total_in`` and ``total_out`` of a session and ``QZ_SW_EXECUTION``
(include/qatzip.h and src/qatzip.c, QATzip 2.0.0); ``qpl_path_hardware`` (sources/c_api/job_execution_api.cpp, qpl
1.6.0)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How the work of one kind of accelerator can be proven here."""

    kind: str
    """Of its :class:`~multifd.accelerator.Accelerator`."""
    counter: str | None
    """The device's counter, in words; None where this user cannot read it."""
    missing: Problem | None
    """What keeps the counter from this user."""
    library: str | None
    """What the library says of its own work."""

    @property
    def possible(self) -> bool:
        """Whether anything can prove it."""
        return self.counter is not None or self.library is not None

    @property
    def source(self) -> str:
        """In words, what will prove it."""
        if self.counter is not None:
            return self.counter
        return f"the library's word alone: {self.library}" if self.library else "nothing: it stays unverified"

    def described(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {**asdict(self), "possible": self.possible, "source": self.source}


def proofs(host: Host, devices: Sequence[Device]) -> tuple[Proof, ...]:
    """For each kind that the host has: by its devices that are usable, where there are any."""
    return tuple(
        _proof(host, kind, [device for device in devices if device.kind == kind])
        for kind in ACCELERATORS
        if any(device.kind == kind for device in devices)
    )


def counting(kind: str) -> Callable[[Host, Device], Problem | None]:
    """The function that says what keeps a device's counters from a user, None if nothing does."""
    module = f"multifd.device.{kind}_counters"
    if importlib.util.find_spec(module) is None:
        return _readable
    counters: Callable[[Host, Device], Problem | None] = importlib.import_module(module).counters
    return counters


def _readable(host: Host, device: Device) -> Problem | None:
    """Of an accelerator of which no more is known than where its counter is."""
    counter = ACCELERATORS[device.kind].counter
    files = counter.files if isinstance(counter, Registers) else counter.unit
    place = files.format(name=device.name, pci=device.pci)
    if any(host.find(place)):
        return None
    return Problem(
        f"its counter is not there, or not for this user ({place})", "# run it as root, with sudo -E for example"
    )


def _proof(host: Host, kind: str, devices: Sequence[Device]) -> Proof:
    asked = [device for device in devices if device.usable] or devices
    missing = next((problem for device in asked if (problem := counting(kind)(host, device)) is not None), None)
    source = ACCELERATORS[kind].counter.source
    return Proof(kind, source if missing is None else None, missing, LIBRARY.get(kind))
