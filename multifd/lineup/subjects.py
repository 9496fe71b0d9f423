"""The vendor libraries that a run scrutinizes by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from multifd.accelerator import ACCELERATORS
from multifd.device.found import Device
from multifd.libraries.find import Library, libraries
from multifd.libraries.packages import remedy
from multifd.lineup.device_peer import Find
from multifd.profile.model import Profile
from multifd.result.versions import number


@dataclass(frozen=True, slots=True)
class Subjects:
    """The vendor libraries that a run may scrutinize."""

    libraries: Mapping[str, Library]
    """Those that can be loaded, by name of the codec."""
    skips: Mapping[str, str | None]
    """All that the profile speaks of; why one is not scrutinized, and the remedy."""


def subjects(profile: Profile, used: Sequence[Device], find: Find = libraries) -> Subjects:
    """Which libraries the profile wants, and this host has; ``used`` are the devices on which peers of it run."""
    present: dict[str, Library] = {}
    skips: dict[str, str | None] = {}
    for kind, accelerator in ACCELERATORS.items():
        entry, real = profile.device(kind), accelerator.real
        if entry is None or real is None:
            continue
        name = real.name
        library = find([Path(path) for path in entry.libraries]).get(name)
        if entry.policy not in ("use", "require"):
            skips[name] = f"the profile does not use {accelerator.name}; remedy: devices.{kind}.policy use"
        elif library is None:
            skips[name] = f"{real.library} is not on this host; remedy: {remedy(real)}"
        elif (version := number(library.version)) is not None and version < Version(real.examined):
            skips[name] = (
                f"{real.library} {library.version} lacks functions that the checks call, expected {real.examined} or"
                f" later; remedy: {remedy(real)}"
            )
        elif not real.on_cpu and any(device.kind == kind for device in used):
            skips[name] = f"{real.library} would use the device, this is about its CPU path; remedy: a host without one"
        else:
            present[name], skips[name] = library, None
    return Subjects(present, skips)
