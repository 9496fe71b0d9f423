"""Which peers stand for each accelerator on this host, as the profile wants it.

=========  ==========================  ===============================================================
policy     host                        peers
=========  ==========================  ===============================================================
require    silicon and library         the real one, on hardware
require    anything less               none: the run does not start, and the diagnosis says why
use        silicon and library         the real one, on hardware
use        library only                the real one on its CPU path, and the emulation beside it
use        neither                     the emulation
emulate    whatever                    the emulation
skip       whatever                    the real one's name, with every cell skipped
=========  ==========================  ===============================================================

A peer never claims more than this table gives it: hardware is claimed only where a usable device was found, and
the counters of just these devices must then prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from multifd.device.model import Device, Kind
from multifd.errors import EnvironmentBroke
from multifd.libraries.find import Library, libraries
from multifd.profile.model import DeviceEntry, Profile
from multifd.result.record import Provenance


@dataclass(frozen=True, slots=True)
class Standing:
    """The names of the peers that may stand for a device."""

    device: str
    """As results show it."""
    real: str | None
    """The codec over the vendor library, None where this project has none."""
    emulated: str
    chooses_path: bool = False
    """The real codec has a parameter ``path``; libqatzip takes the silicon whenever it is there."""


STANDING: Final[Mapping[Kind, Standing]] = {
    "qat": Standing("QAT", "qatzip", "qat-emulated"),
    "iaa": Standing("IAA", "qpl", "iaa-emulated", chooses_path=True),
    "kunpeng": Standing("Kunpeng", None, "uadk-emulated"),
}
HARDWARE: Final = 1
SOFTWARE: Final = 2
"""The ``path`` parameter of the codecs over vendor libraries."""


@dataclass(frozen=True, slots=True)
class DevicePeer:
    """One codec that takes part because of a device."""

    codec: str
    parameters: Mapping[str, int]
    provenance: Provenance
    library: Library | None = None
    """Where the vendor library is, None for an emulation."""
    devices: tuple[Device, ...] = ()
    """Whose counters prove that hardware ran."""
    skip: str | None = None
    place: str = ""
    """Of its parameters in the profile."""


Find = Callable[[Sequence[Path]], Mapping[str, Library]]


def device_peers(profile: Profile, found: Sequence[Device], find: Find = libraries) -> list[DevicePeer]:
    """The peers of all devices of a profile; raises EnvironmentBroke where one is required that is not there."""
    chosen: list[DevicePeer] = []
    lacking: list[str] = []
    for kind, standing in STANDING.items():
        entry: DeviceEntry | None = getattr(profile.devices, kind)
        if entry is None:
            continue
        usable = tuple(device for device in found if device.kind == kind and device.usable)
        library = find([Path(path) for path in entry.libraries]).get(standing.real) if standing.real else None
        match entry.policy:
            case "require":
                reasons = _lacking(kind, standing, entry, usable, library, found)
                lacking += reasons
                if not reasons:
                    chosen.append(_real(standing, entry, library, usable))
            case "use":
                chosen += _best(standing, entry, library, usable)
            case "emulate":
                chosen.append(_emulated(standing, entry))
            case "skip":
                chosen.append(_skipped(standing, kind))
    if lacking:
        raise EnvironmentBroke("the profile requires what this host lacks:\n  " + "\n  ".join(lacking))
    return chosen


def _best(
    standing: Standing, entry: DeviceEntry, library: Library | None, usable: tuple[Device, ...]
) -> list[DevicePeer]:
    if library is None:
        return [_emulated(standing, entry)]
    if usable and entry.path == "auto":
        return [_real(standing, entry, library, usable)]
    return [_real(standing, entry, library, ()), _emulated(standing, entry)]


def _real(standing: Standing, entry: DeviceEntry, library: Library | None, devices: tuple[Device, ...]) -> DevicePeer:
    assert standing.real is not None
    provenance: Provenance = "hardware" if devices else "vendor-software"
    path = {"path": HARDWARE if devices else SOFTWARE} if standing.chooses_path else {}
    place = f"$.devices.{standing.device.lower()}.parameters"
    return DevicePeer(standing.real, {**entry.parameters, **path}, provenance, library, devices, place=place)


def _emulated(standing: Standing, entry: DeviceEntry) -> DevicePeer:
    place = f"$.devices.{standing.device.lower()}.emulation"
    return DevicePeer(standing.emulated, entry.emulation, "emulated", place=place)


def _skipped(standing: Standing, kind: Kind) -> DevicePeer:
    reason = f"the profile skips {standing.device}; remedy: a profile with devices.{kind}.policy use or emulate"
    return DevicePeer(standing.emulated, {}, "emulated", skip=reason)


def _lacking(
    kind: Kind,
    standing: Standing,
    entry: DeviceEntry,
    usable: tuple[Device, ...],
    library: Library | None,
    found: Sequence[Device],
) -> list[str]:
    """Why a required device is not to be had, each with what to do."""
    reasons = []
    if standing.real is None:
        reasons.append(f"{standing.device}: this project has no binding for its library; use policy emulate")
    elif library is None:
        reasons.append(f"{standing.device}: its library is not found; run: multifd vendor fetch")
    if len(usable) < entry.count:
        wanted = f"{entry.count} required (devices.{kind}.count)"
        reasons.append(f"{standing.device}: {len(usable)} usable devices, {wanted}; multifd doctor says more")
        for device in found:
            if device.kind == kind:
                fixes = (f"{problem.what}; run: {problem.fix.splitlines()[0]}" for problem in device.problems)
                reasons += [f"{standing.device} {device.name} {device.pci or ''}: {fix}" for fix in fixes]
    return reasons
