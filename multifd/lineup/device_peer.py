"""A codec that takes part because of an accelerator, and what a profile and this host have to make it of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from multifd.accelerator import ACCELERATORS, Accelerator, VendorCodec
from multifd.codec import factories
from multifd.codec.contract import peer_name
from multifd.device.found import Device
from multifd.libraries.find import Library, python_command
from multifd.peer.nursery import MODULE, PROGRAM
from multifd.process.python import ENVIRONMENT
from multifd.profile.model import OTHERS, DeviceEntry, Profile
from multifd.result.record import Provenance, Role

Find = Callable[[Sequence[Path]], Mapping[str, Library]]
BOTH: Final[tuple[Role, ...]] = ("sender", "receiver")
HARDWARE: Final = 1
SOFTWARE: Final = 2
"""The ``path`` parameter of the codecs over vendor libraries."""
NODE: Final = "node"
"""The fact of a device that is the number of its NUMA node."""
BACKUP: Final = "backup"
"""The parameter of a codec whose library computes in software what its device does not; 0: it does not."""


@dataclass(frozen=True, slots=True)
class DevicePeer:
    """One codec that takes part because of a device."""

    codec: str
    parameters: Mapping[str, int]
    """All of the codec that are not the defaults."""
    provenance: Provenance
    """As which it is to run."""
    library: Library | None = None
    """Where the vendor library is, None for an emulation."""
    devices: tuple[Device, ...] = ()
    """Whose counters prove that hardware ran."""
    skip: str | None = None
    place: str = ""
    """Of its parameters in the profile."""
    named: Mapping[str, int] = field(default_factory=dict)
    """Parameters that its name shows: those of a variant."""
    roles: tuple[Role, ...] = BOTH
    remark: str = ""
    """What a reader of the results must know of why it stands here, empty for nothing."""

    @property
    def name(self) -> str:
        """As the line-up has it."""
        return peer_name(factories()[self.codec], self.named)

    def start(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """The command that starts it, and the variables of its environment."""
        arguments = (self.codec, *(f"{key}={value}" for key, value in self.parameters.items()))
        if self.library is None:
            return (*PROGRAM, *arguments), dict(ENVIRONMENT)
        return python_command(self.library, (*MODULE, *arguments))


@dataclass(frozen=True, slots=True)
class Row:
    """An accelerator, what the profile says of it, and its vendor's library."""

    accelerator: Accelerator
    entry: DeviceEntry
    place: str
    """Of the entry in the profile."""
    library: Library | None

    @property
    def wants_silicon(self) -> bool:
        """The profile wants it to run on the device, if that can be."""
        return self.entry.policy in ("use", "require") and self.entry.path == "auto"

    def real(self, codec: VendorCodec, *, hardware: bool, devices: Sequence[Device] = ()) -> DevicePeer:
        """The peer over the vendor's library, on the device or on the library's own CPU path.

        Devices that are all on one NUMA node are looked for there, whichever processor a peer happens to be on.
        """
        path = {"path": HARDWARE if hardware else SOFTWARE} if codec.chooses_path else {}
        nodes = {device.facts.get(NODE, "") for device in devices}
        near = {codec.node: int(*nodes)} if hardware and codec.node and len(nodes) == 1 and "" not in nodes else {}
        provenance: Provenance = "hardware" if hardware else "vendor-software"
        parameters, place = {**near, **self.entry.parameters, **path}, f"{self.place}.parameters"
        return DevicePeer(codec.name, parameters, provenance, self.library, tuple(devices), place=place)


def may_work(kind: str, found: Sequence[Device]) -> tuple[Device, ...]:
    """Devices of a kind that may do its work: if none of them looks usable, it may be any."""
    devices = tuple(device for device in found if device.kind == kind)
    return tuple(device for device in devices if device.usable) or devices


def rows(profile: Profile, find: Find) -> Iterator[Row]:
    """One for each accelerator of which the profile speaks."""
    for kind, accelerator in ACCELERATORS.items():
        entry, real = profile.device(kind), accelerator.real
        if entry is not None:
            key = kind if kind in profile.devices else OTHERS
            library = find([Path(path) for path in entry.libraries]).get(real.name) if real else None
            yield Row(accelerator, entry, f"$.devices.{key}", library)
