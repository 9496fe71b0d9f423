"""What ``multifd doctor`` found out about a host: as one object, as JSON, and as an exit code."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from multifd import __version__
from multifd.accelerator import VENDOR
from multifd.cli.qemus import Found
from multifd.codec import create, factories
from multifd.device.diagnose import Diagnosis
from multifd.device.found import Device, Problem
from multifd.errors import MultifdError
from multifd.libraries.find import Library, chosen
from multifd.lineup.device_peer import may_work
from multifd.lineup.holding import cramped, remedy
from multifd.lineup.preflight import Tried
from multifd.lineup.started import NOT_AVAILABLE, Started

HEALTHY: Final = 0
UNUSABLE: Final = 1
ENVIRONMENT: Final = 3


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has of one vendor library."""

    started: Started
    tried: Tried | None
    """How a round trip on its device went; None where nothing was tried."""

    def described(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {"started": asdict(self.started), "preflight": asdict(self.tried) if self.tried else None}


@dataclass(frozen=True, slots=True)
class Examined:
    """A host; of a recorded one there is the diagnosis alone."""

    diagnosis: Diagnosis
    libraries: Sequence[Library] = ()
    """All that are found."""
    runs: Mapping[str, Run] = field(default_factory=dict)
    """By name of the codec, of those that can be loaded."""
    qemus: Sequence[Found] = ()

    @property
    def versions(self) -> dict[str, str]:
        """Of this project, of Python, and of every codec as a run starts it."""
        codecs = {name: _codec_version(name) for name in factories() if name not in ("none", *VENDOR)}
        vendor = {name: self.runs[name].started.version if name in self.runs else NOT_AVAILABLE for name in VENDOR}
        return {"multifd": __version__, "python": platform.python_version(), **codecs, **vendor}

    @property
    def exit_code(self) -> int:
        """Of the command."""
        if self.diagnosis.problems:
            return ENVIRONMENT
        used = chosen(self.libraries)
        broken = (
            any(self._is_broken(device) for device in self.diagnosis.devices)
            or any(qemu.problem for qemu in self.qemus)
            or any(run.started.problem for run in self.runs.values())
            # There, not to be loaded, and nothing that stands in.
            or any(library.name not in used for library in self.libraries)
        )
        return UNUSABLE if broken else HEALTHY

    def described(self) -> dict[str, Any]:
        """As JSON shows it."""
        used = chosen(self.libraries)
        return {
            **diagnosed(self.diagnosis),
            "libraries": [
                {
                    "name": library.name,
                    "version": library.version,
                    "path": str(library.path),
                    "origin": library.origin,
                    "problem": library.problem,
                    "warning": library.warning,
                    **(self.runs[library.name].described() if used.get(library.name) is library else {}),
                }
                for library in self.libraries
            ],
            "qemu": [
                {
                    "command": list(qemu.binary.command),
                    "version": qemu.facts and qemu.facts.release,
                    "package": qemu.facts and qemu.facts.package,
                    "methods": list(qemu.facts.methods) if qemu.facts else [],
                    "problem": qemu.problem,
                }
                for qemu in self.qemus
            ],
            "versions": self.versions,
            "memory": self.diagnosis.memory,
            "shared_memory": self.diagnosis.shared_memory,
            "temporary": self.diagnosis.temporary,
            "problems": [asdict(problem) for problem in self.diagnosis.problems],
        }

    def _is_broken(self, device: Device) -> bool:
        """Whether a run cannot use a device: by its library, which knows best, else by what detection says."""
        tried = next((run.tried for run in self.runs.values() if run.tried and run.tried.kind == device.kind), None)
        if tried is None or (tried.works and cramped(may_work(device.kind, self.diagnosis.devices))):
            return bool(device.problems)
        return not tried.works


def as_runs_see(diagnosis: Diagnosis) -> Diagnosis:
    """The same, but that devices with room for fewer processes than a cell has are none that can be used."""
    devices = []
    for device in diagnosis.devices:
        fellows = may_work(device.kind, diagnosis.devices)
        few = cramped(fellows) if device.usable else ""
        problems = (Problem(few, f"# {remedy(fellows)}"),) if few else ()
        devices.append(replace(device, problems=(*device.problems, *problems)))
    return replace(diagnosis, devices=tuple(devices))


def diagnosed(diagnosis: Diagnosis) -> dict[str, Any]:
    """What is true of a recorded host as well, as JSON shows it."""
    return {
        "devices": [device.described() for device in diagnosis.devices],
        "proof": [proof.described() for proof in diagnosis.proofs],
    }


def _codec_version(name: str) -> str:
    try:
        return create(name).version
    except MultifdError:
        return NOT_AVAILABLE
