"""What a QEMU says of itself, asked of the binary and never assumed from its name.

======================  ==========================================================================
fact                    QMP
======================  ==========================================================================
version, package        ``query-version``
methods                 ``query-qmp-schema``: the enum of ``multifd-compression``
zero-page modes         the same, of ``zero-page-detection`` (QEMU 9.0 and later)
capabilities            the same, of ``migrate-set-capabilities``
machine types           ``query-machines``: those of one family, which carry their version
======================  ==========================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from multifd.errors import InputError
from multifd.wire.dialect import DIALECTS, Dialect

MACHINE: Final = re.compile(r"pc-i440fx-(\d+)\.(\d+)")
"""A PC needs no firmware file for a guest that never runs, and every x86-64 QEMU has it."""
_SETTER: Final = "migrate-set-parameters"


class Facts(BaseModel):
    """What one binary can do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: tuple[int, int, int]
    package: str
    """The distribution's version, or empty."""
    methods: tuple[str, ...]
    """Values of ``multifd-compression``."""
    zero_pages: tuple[str, ...]
    """Values of ``zero-page-detection``; empty before 9.0, which knows only what is called ``legacy`` since."""
    machines: tuple[str, ...]
    """Versioned machine types, oldest first."""
    capabilities: tuple[str, ...] = ()
    """Of a migration."""

    @property
    def release(self) -> str:
        """``10.0.13``."""
        return ".".join(map(str, self.version))

    @property
    def dialect(self) -> Dialect:
        """The dialect that a QEMU of this version speaks."""
        return dialect_of(self.version[:2])


def dialect_of(version: tuple[int, ...]) -> Dialect:
    """The newest dialect of a release that is not newer than ``version``; raises :class:`InputError` for one older."""
    spoken = [d for d in DIALECTS.values() if d.name.startswith("qemu-") and _release(d.name) <= version]
    if not spoken:
        raise InputError(f"QEMU is {'.'.join(map(str, version))}, expected 5.0 or later: multifd was another before")
    return max(spoken, key=lambda d: d.order)


def common_machine(*sides: Facts) -> str | None:
    """The newest machine type that all of them have and that has a dialect, None if there is none."""
    shared = set(sides[0].machines).intersection(*(side.machines for side in sides[1:]))
    return max(filter(has_dialect, shared), key=machine_version, default=None)


def has_dialect(machine: str) -> bool:
    """Whether :func:`machine_dialect` knows the main channel of this machine type.

    8.1 and 8.2 are passed over: they write the flush word, and a QEMU of that age otherwise speaks ``qemu-5.0``,
    which has none.
    """
    version = machine_version(machine)
    return version >= (5, 0) and not (8, 1) <= version < (9, 0)


def machine_dialect(machine: str) -> Dialect:
    """The dialect that is as old as the machine type: it decides how the main channel marks a SYNC."""
    return dialect_of(machine_version(machine))


def machine_version(machine: str) -> tuple[int, int]:
    """Major and minor of a versioned machine type."""
    match = MACHINE.fullmatch(machine)
    assert match is not None, machine
    return int(match[1]), int(match[2])


def read(
    version: Mapping[str, Any], schema: Sequence[Mapping[str, Any]], machines: Iterable[Mapping[str, Any]]
) -> Facts:
    """Facts from the answers of QMP; raises :class:`InputError` for a QEMU without multifd or without a PC."""
    number = version["qemu"]
    release = (number["major"], number["minor"], number["micro"])
    methods = _values(schema, "multifd-compression")
    if not methods:
        raise InputError(f"QEMU {'.'.join(map(str, release))}: has no multifd-compression, expected 5.0 or later")
    versioned = {m["name"] for m in machines} | {m["alias"] for m in machines if "alias" in m}
    pcs = sorted((name for name in versioned if MACHINE.fullmatch(name)), key=machine_version)
    if not pcs:
        raise InputError(f"QEMU {'.'.join(map(str, release))}: has no machine pc-i440fx, expected qemu-system-x86_64")
    return Facts(
        version=release, package=version["package"], methods=methods,
        zero_pages=_values(schema, "zero-page-detection"), machines=tuple(pcs),
        capabilities=_capabilities(schema),
    )  # fmt: skip


def _values(schema: Sequence[Mapping[str, Any]], parameter: str) -> tuple[str, ...]:
    """Values of the enum that a migration parameter takes; names of types mean nothing in a schema, so follow them."""
    entities = {entity["name"]: entity for entity in schema}
    arguments = entities[entities[_SETTER]["arg-type"]]["members"]
    of_type = next((member["type"] for member in arguments if member["name"] == parameter), None)
    return tuple(entities[of_type].get("values", ())) if of_type is not None else ()


def _capabilities(schema: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The enum of the capabilities that the command takes a list of."""
    entities = {entity["name"]: entity for entity in schema}

    def of(entity: Mapping[str, Any], member: str) -> Mapping[str, Any]:
        return entities[next(each["type"] for each in entity["members"] if each["name"] == member)]

    listed = of(entities[entities["migrate-set-capabilities"]["arg-type"]], "capabilities")
    return tuple(of(entities[listed["element-type"]], "capability")["values"])


def _release(dialect: str) -> tuple[int, ...]:
    return tuple(map(int, dialect.removeprefix("qemu-").split(".")))
