"""Whom somebody asks of: a version, a profile, what ``multifd doctor --json`` said of a host, a running QEMU.

=================  ===========================================================================================
text               is
=================  ===========================================================================================
``qemu-7.2``       every host with that release
``spr-qat-iaa``    a profile, shipped or a file: the accelerators that it names, with the newest release of QEMU
``qat``            any host with that accelerator, likewise
``doctor.json``    a host: the accelerators that can be used, and the newest QEMU on it
``qemu-9.2+icx``   a version, and a profile or a host for its accelerators
``qmp.sock``       a QEMU that runs (:mod:`multifd.advice.monitor`)
=================  ===========================================================================================
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from multifd.accelerator import ACCELERATORS, KUNPENG, Accelerator
from multifd.advice.hosts import Host
from multifd.advice.releases import is_version, release, releases
from multifd.errors import InputError
from multifd.foreign import whole
from multifd.json import parse
from multifd.nearest import suggestion
from multifd.profile.load import load, shipped
from multifd.profile.model import Profile
from multifd.qemu.arch import AARCH64, X86, Arch
from multifd.wire.dialect import DIALECTS, LATEST

NEWEST: Final = DIALECTS[LATEST].versions.rpartition("-")[2]
"""The release of hosts of which nobody says which QEMU they have."""
_LARGEST: Final = 16 << 20
"""Bytes of a host's diagnosis at most."""
_BESIDE: Final = "+"
_ALL: Final = "require-all"
"""The profile that asks for every accelerator, which no host has."""


class _Found(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Device(_Found):
    kind: str
    usable: bool


class _Qemu(_Found):
    version: str | None
    methods: tuple[str, ...] = ()


class _Diagnosis(_Found):
    """What is taken of ``multifd doctor --json``, of this host or of a recorded one."""

    devices: tuple[_Device, ...]
    qemu: tuple[_Qemu, ...] = ()


def is_socket(text: str) -> bool:
    """Whether it is a socket's path."""
    try:
        return stat.S_ISSOCK(Path(text).stat().st_mode)
    except (OSError, ValueError):
        return False


def host(text: str, option: str) -> Host:
    """The host that it names; ``option`` is where it was given. Raises :class:`InputError` that says what is wrong."""
    version, beside, rest = text.removeprefix(_BESIDE).partition(_BESIDE)
    if not is_version(version):
        return _named(text.removeprefix(_BESIDE), option)
    facts = release(version)
    if facts.version[:2] > release(NEWEST).version[:2]:
        raise InputError(
            f"{option} {text!r}: nothing is known of {version} here, expected {NEWEST} at most; one that runs is asked"
            " itself, by its QMP socket"
        )
    if not beside:
        return _of(version, facts)
    devices = _named(rest, option).devices
    return _of(version, release(version, _arch(devices)), devices)


def _of(version: str, facts: Any, devices: tuple[Accelerator, ...] = ()) -> Host:
    number = version.removeprefix("qemu-")
    return Host(_name(number, devices), number, facts, devices)


def _name(version: str, devices: Iterable[Accelerator]) -> str:
    names = " and ".join(each.name for each in devices)
    return f"QEMU {version} with {names}" if names else f"QEMU {version}"


def _named(text: str, option: str) -> Host:
    path = Path(text)
    if text in shipped() or text.endswith((".yaml", ".yml")):
        devices = having(load(text))
    elif text.casefold() in ACCELERATORS and not path.exists():
        devices = (ACCELERATORS[text.casefold()],)
    elif not path.is_file():
        raise InputError(
            f"{option} {text!r}: is no version (qemu-7.2), no profile, no accelerator ({', '.join(ACCELERATORS)}), no"
            " file with what 'multifd doctor --json' said, and no QMP socket of a running QEMU;"
            f" {suggestion(text, _names())}; profiles with accelerators: {', '.join(_with_accelerators())}"
        )
    else:
        return _diagnosed(path, option)
    return Host(_name(NEWEST, devices), NEWEST, release(NEWEST, _arch(devices)), devices)


def having(profile: Profile) -> tuple[Accelerator, ...]:
    """The accelerators that its hosts have."""
    return tuple(each for each in ACCELERATORS.values() if _has(profile, each))


def _names() -> Iterator[str]:
    """All that can be told without a file."""
    yield from shipped()
    yield from ACCELERATORS
    yield from (f"qemu-{version}" for version in releases(NEWEST))


def _with_accelerators() -> Iterator[str]:
    """Shipped profiles that are hosts, each with what it stands for."""
    for name in shipped():
        devices = having(load(name))
        if devices and name != _ALL:
            yield f"{name} ({' and '.join(each.name for each in devices)})"


def _has(profile: Profile, accelerator: Accelerator) -> bool:
    """It names the accelerator as one that its hosts have; one without a binding of ours can only be emulated."""
    entry = profile.devices.get(accelerator.kind)
    return entry is not None and (
        entry.policy in ("require", "use") or (entry.policy == "emulate" and accelerator.real is None)
    )


def _diagnosed(path: Path, option: str) -> Host:
    expected = f"{option} {path}: expected what 'multifd doctor --json' says of a host"
    try:
        said = _Diagnosis.model_validate(parse(whole(path, _LARGEST)))
    except OSError as problem:
        raise InputError(f"{option} {path}: cannot read: {problem.strerror}") from None
    except InputError as problem:
        raise InputError(f"{expected}: {problem}") from None
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(("$", *map(str, first["loc"])))
        raise InputError(f"{expected}: {field}: {first['msg']}") from None
    usable = {device.kind for device in said.devices if device.usable}
    devices = tuple(accelerator for kind, accelerator in ACCELERATORS.items() if kind in usable)
    return _with_qemu(said.qemu, devices)


def _with_qemu(qemus: Iterable[_Qemu], devices: tuple[Accelerator, ...]) -> Host:
    """The newest of a host's QEMUs with the methods that it named; the newest release where nobody knows."""
    known = [qemu for qemu in qemus if qemu.version is not None and is_version(qemu.version)]
    if not known:
        return Host(_name(NEWEST, devices), NEWEST, release(NEWEST, _arch(devices)), devices)
    newest = max(known, key=lambda qemu: release(qemu.version or "").version)
    version = newest.version or ""
    facts = release(version, _arch(devices)).model_copy(update={"methods": newest.methods})
    return Host(_name(version, devices), version, facts, devices, said=True)


def _arch(devices: Iterable[Accelerator]) -> Arch:
    """A Kunpeng is a processor of another architecture."""
    return AARCH64 if any(device.kind == KUNPENG.kind for device in devices) else X86


def alike(one: Host, other: Host) -> Host:
    """The host as one of the other's architecture, where nothing says which it has."""
    if one.said or one.devices or one.facts.target == other.facts.target:
        return one
    return _of(one.versions, release(one.versions, other.facts.arch))
