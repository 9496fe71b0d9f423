"""Lines to paste: what sets a method over QMP, and in libvirt.

QMP is as QEMU has it since 5.0: capabilities before parameters, the destination before the source, all before
``migrate-incoming`` and ``migrate``. libvirt names two methods of multifd, ``zlib`` and ``zstd``, since 9.4.0
(``VIR_MIGRATE_PARAM_COMPRESSION`` beside ``VIR_MIGRATE_PARALLEL``), and turns ``return-path`` on by itself unless the
migration is tunnelled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

_VIRSH: Final = "virsh migrate --live --parallel --parallel-connections {channels}{more} GUEST qemu+ssh://HOST/system"
_NAMED: Final = ("zlib", "zstd")
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def qmp(method: str, channels: int, further: Mapping[str, str] = NOTHING) -> tuple[str, ...]:
    """For both ends; ``further`` parameters are set with the method."""
    told = {"multifd-compression": method, "multifd-channels": channels, **further}
    return capabilities("multifd", "return-path"), parameters(told)


def capabilities(*names: str, off: Iterable[str] = ()) -> str:
    """Turn these on, and others off."""
    states = {**dict.fromkeys(names, True), **dict.fromkeys(off, False)}
    told = [{"capability": name, "state": state} for name, state in states.items()]
    return _command("migrate-set-capabilities", {"capabilities": told})


def parameters(values: dict[str, Any]) -> str:
    """Set these."""
    return _command("migrate-set-parameters", values)


def libvirt(method: str, channels: int) -> tuple[str, ...]:
    """On the source's host; a comment where libvirt has no word for it."""
    if method == "none":
        return (_VIRSH.format(channels=channels, more=""),)
    if method in _NAMED:
        return (_VIRSH.format(channels=channels, more=f" --compressed --comp-methods {method}"),)
    return (f"# libvirt names no multifd method but {' and '.join(_NAMED)}: {method} is set over QMP",)


def untouched(parameter: str) -> tuple[str, ...]:
    """For a parameter that libvirt leaves alone."""
    return (f"# libvirt leaves {parameter} at the default of the machine type",)


def _command(name: str, arguments: dict[str, Any]) -> str:
    return json.dumps({"execute": name, "arguments": arguments})
