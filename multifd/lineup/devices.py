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

Beside each of them, unless it is skipped, stand the profile's variants of its codec.

A peer never claims more than this table gives it: hardware is claimed only where a usable device was found, and
the counters of just these devices must then prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from multifd.accelerator import ACCELERATORS, Accelerator, VendorCodec
from multifd.device.found import Device
from multifd.errors import EnvironmentBroke
from multifd.libraries.find import Library, libraries
from multifd.profile.model import OTHERS, DeviceEntry, Profile
from multifd.result.record import Provenance, Role

HARDWARE: Final = 1
SOFTWARE: Final = 2
"""The ``path`` parameter of the codecs over vendor libraries."""


@dataclass(frozen=True, slots=True)
class DevicePeer:
    """One codec that takes part because of a device."""

    codec: str
    parameters: Mapping[str, int]
    """All of the codec that are not the defaults."""
    provenance: Provenance
    library: Library | None = None
    """Where the vendor library is, None for an emulation."""
    devices: tuple[Device, ...] = ()
    """Whose counters prove that hardware ran."""
    skip: str | None = None
    place: str = ""
    """Of its parameters in the profile."""
    named: Mapping[str, int] = field(default_factory=dict)
    """Parameters that its name shows: those of a variant."""
    roles: tuple[Role, ...] = ("sender", "receiver")


Find = Callable[[Sequence[Path]], Mapping[str, Library]]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table: an accelerator, what the profile says of it, what this host has of it."""

    accelerator: Accelerator
    entry: DeviceEntry
    place: str
    """Of the entry in the profile."""
    library: Library | None
    usable: tuple[Device, ...]


def device_peers(profile: Profile, found: Sequence[Device], find: Find = libraries) -> list[DevicePeer]:
    """The peers of all devices of a profile; raises EnvironmentBroke where one is required that is not there."""
    chosen: list[DevicePeer] = []
    lacking: list[str] = []
    for each in _rows(profile, found, find):
        real = each.accelerator.real
        match each.entry.policy:
            case "require":
                reasons = list(_lacking(each, found))
                lacking += reasons
                if real is not None and not reasons:
                    chosen.append(_real(each, real, each.usable))
            case "use":
                chosen += _best(each)
            case "emulate":
                chosen.append(_emulated(each))
            case "skip":
                chosen.append(_skipped(each.accelerator))
    if lacking:
        raise EnvironmentBroke("the profile requires what this host lacks:\n  " + "\n  ".join(lacking))
    return [peer for each in chosen for peer in (each, *_variants(each, profile))]


def _variants(peer: DevicePeer, profile: Profile) -> Iterator[DevicePeer]:
    """On the same path and devices as the peer of which they are."""
    if peer.skip is not None:
        return
    for at, variant in enumerate(profile.variants.get(peer.codec, ())):
        yield replace(
            peer,
            parameters={**peer.parameters, **variant.parameters},
            place=f"$.variants.{peer.codec}[{at}].parameters",
            named=variant.parameters,
            roles=variant.roles,
        )


def _rows(profile: Profile, found: Sequence[Device], find: Find) -> Iterator[_Row]:
    for kind, accelerator in ACCELERATORS.items():
        entry, real = profile.device(kind), accelerator.real
        if entry is not None:
            key = kind if kind in profile.devices else OTHERS
            library = find([Path(path) for path in entry.libraries]).get(real.name) if real else None
            usable = tuple(device for device in found if device.kind == kind and device.usable)
            yield _Row(accelerator, entry, f"$.devices.{key}", library, usable)


def _best(row: _Row) -> list[DevicePeer]:
    real = row.accelerator.real
    if real is None or row.library is None:
        return [_emulated(row)]
    if row.usable and row.entry.path == "auto":
        return [_real(row, real, row.usable)]
    return [_real(row, real, ()), _emulated(row)]


def _real(row: _Row, real: VendorCodec, devices: tuple[Device, ...]) -> DevicePeer:
    provenance: Provenance = "hardware" if devices else "vendor-software"
    parameters = {**row.entry.parameters, **({"path": HARDWARE if devices else SOFTWARE} if real.chooses_path else {})}
    return DevicePeer(real.name, parameters, provenance, row.library, devices, place=f"{row.place}.parameters")


def _emulated(row: _Row) -> DevicePeer:
    return DevicePeer(row.accelerator.emulated, row.entry.emulation, "emulated", place=f"{row.place}.emulation")


def _skipped(accelerator: Accelerator) -> DevicePeer:
    remedy = f"a profile with devices.{accelerator.kind}.policy use or emulate"
    reason = f"the profile skips {accelerator.name}; remedy: {remedy}"
    return DevicePeer(accelerator.emulated, {}, "emulated", skip=reason)


def _lacking(row: _Row, found: Sequence[Device]) -> Iterator[str]:
    """Why a required device is not to be had, each with what to do."""
    kind, name, count = row.accelerator.kind, row.accelerator.name, row.entry.count
    if row.accelerator.real is None:
        yield f"{name}: this project has no binding for its library; use policy emulate"
    elif row.library is None:
        yield f"{name}: its library is not found; run: multifd vendor fetch"
    if len(row.usable) < count:
        wanted = f"{count} required ({row.place.removeprefix('$.')}.count)"
        yield f"{name}: {len(row.usable)} usable devices, {wanted}; multifd doctor says more"
        for device in found:
            if device.kind == kind:
                for problem in device.problems:
                    fix = problem.fix.splitlines()[0]
                    yield f"{name} {device.name} {device.pci or ''}: {problem.what}; run: {fix}"
