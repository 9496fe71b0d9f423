"""The model of a hardware profile; ``hwprofiles/profile.schema.json`` is made from it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    StrictInt,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from multifd.accelerator import ACCELERATORS
from multifd.result.record import Role


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""What the system takes: C strings."""
Variables = Annotated[
    dict[Annotated[str, Field(pattern=r"^[^=\x00]+$")], Text], Field(json_schema_extra={"additionalProperties": False})
]
"""Of an environment, by name (environ(7))."""


class PeerEntry(_Model):
    """One peer: a codec of ours, or any executable that speaks the peer contract."""

    codec: str | None = None
    """A codec of ours."""
    parameters: dict[str, StrictInt] = {}
    """Of the codec: level, window."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+=,\[\]-]*$")] | None = None
    """Of an external peer, as results show it; ids of cells use ``/`` and ``~`` themselves."""
    command: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Of an external peer: program and arguments; ``ssh host program`` reaches a lab host."""
    environment: Variables = {}
    """Variables that the peer's process gets besides ours."""
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("sender", "receiver")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.codec is not None and (self.name is not None or self.command is not None):
            raise ValueError("a peer has either codec (and parameters) or name and command, not both")
        if self.codec is None and (self.name is None or self.command is None):
            raise ValueError("a peer has either codec (and parameters) or name and command; neither is complete")
        return self


class QemuEntry(_Model):
    """A real QEMU."""

    command: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Program, or a wrapper or loader and the program, with arguments that come before ours (``-L DIR``)."""
    environment: Variables = {}
    """Variables that the process gets besides ours, such as ``LD_LIBRARY_PATH``."""
    name: Annotated[str, Field(pattern=r"^qemu-[A-Za-z0-9][A-Za-z0-9._+=,\[\]-]*$")] | None = None
    """What results call it; ``qemu-<version>`` unless given."""


def _kind(given: object) -> str:
    return "word" if isinstance(given, str) else "entry"


Qemu = Annotated[Annotated[QemuEntry, Tag("entry")] | Annotated[Literal["found"], Tag("word")], Discriminator(_kind)]
"""An entry, or ``found``: the QEMU in PATH and every fetched one."""

Policy = Literal["require", "use", "emulate", "skip"]


class DeviceEntry(_Model):
    """What a run does about one kind of accelerator."""

    policy: Policy = "use"
    """``require``: its silicon, which does a round trip of its library before the run, or the run does not start.
    ``use``: the silicon where that works, else the vendor library's own software path beside our emulation, else the
    emulation. ``emulate``: the emulation only. ``skip``: not at
    all; its cells are listed as skipped."""
    path: Literal["auto", "software"] = "auto"
    """``software``: the vendor library's own CPU path even where there is silicon."""
    count: Annotated[StrictInt, Field(ge=1)] = 1
    """How many usable devices ``require`` wants."""
    libraries: tuple[Text, ...] = ()
    """Directories searched for the vendor library before all others."""
    parameters: dict[str, StrictInt] = {}
    """Queue and instance settings of the real peer: those of its codec, besides the path."""
    emulation: dict[str, StrictInt] = {}
    """The same of the emulated peer."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.policy == "require" and self.path == "software":
            raise ValueError("policy require wants silicon, path software keeps from it; expected one of them")
        return self


class Variant(_Model):
    """One more peer of an accelerator's codec, with parameters of its own."""

    parameters: Annotated[dict[str, StrictInt], Field(min_length=1)]
    """Those in which it differs from the peer that the device has anyway, and by which it is named."""
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("sender", "receiver")
    """In which it takes part: those in which the parameters matter."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "path" in self.parameters:
            raise ValueError("a variant runs on the path of its device: devices.<kind>.path says which")
        return self


OTHERS: Final = "others"
DEVICES: Final = (*ACCELERATORS, OTHERS)
"""Keys of ``devices``: kinds of accelerators, and those that are not named."""


def _known(kind: str) -> str:
    if kind not in DEVICES:
        expected = ", ".join(DEVICES)
        raise PydanticCustomError("device", "unknown key; expected one of {expected}", {"expected": expected})
    return kind


_CODECS: Final = tuple(
    name for each in ACCELERATORS.values() for name in (each.real.name if each.real else None, each.emulated) if name
)


def _codec(name: str) -> str:
    if name not in _CODECS:
        raise PydanticCustomError("device", "unknown key; expected one of {expected}", {"expected": ", ".join(_CODECS)})
    return name


Variants = Annotated[
    dict[Annotated[str, AfterValidator(_codec)], tuple[Variant, ...]],
    Field(json_schema_extra={"propertyNames": {"enum": list(_CODECS)}}),
]
"""By codec of an accelerator, the real one or the emulation."""

Devices = Annotated[
    dict[Annotated[str, AfterValidator(_known)], DeviceEntry],
    Field(json_schema_extra={"propertyNames": {"enum": list(DEVICES)}}),
]
"""By kind of accelerator."""


Deadline = Annotated[float, Strict(), Field(ge=1, le=86400)]
"""Seconds: no less than a busy host takes to look at a process, no more than a day."""


class Deadlines(_Model):
    """Seconds after which a peer is taken for hung and killed."""

    hello: Deadline = 20.0
    request: Deadline = 30.0


_MOST: Final = 256
"""Peers of one kind: each is started, and each pair of them is cells."""


class Profile(_Model):
    """A hardware profile."""

    description: str
    extends: Text | None = None
    """A profile, by name or by path from this one's directory. Each key but ``description`` that is missing here is
    taken from there, whole."""
    peers: Annotated[tuple[PeerEntry, ...], Field(min_length=1, max_length=_MOST)]
    devices: Devices = {}
    """The accelerators; ``others`` is for each that is not named. Without it that one takes no part in the run."""
    variants: Variants = {}
    """Further peers of the accelerators that take part, beside the one that ``devices`` gives each of them."""
    qemu: Annotated[tuple[Qemu, ...], Field(max_length=_MOST)] = ()
    """Real QEMUs besides those of ``--qemu``; ``found``: the one in PATH and every fetched one."""
    deadlines: Deadlines = Deadlines()

    def device(self, kind: str) -> DeviceEntry | None:
        """What the run does about a kind of accelerator, None if it takes no part."""
        return self.devices.get(kind, self.devices.get(OTHERS))

    @property
    def required(self) -> tuple[str, ...]:
        """Kinds of accelerators whose silicon must be there, and proven."""
        entries = ((kind, self.device(kind)) for kind in ACCELERATORS)
        return tuple(kind for kind, entry in entries if entry is not None and entry.policy == "require")
