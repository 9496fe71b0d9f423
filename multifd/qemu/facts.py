"""What a QEMU says of itself, asked of the binary and never assumed from its name.

======================  ==========================================================================
fact                    QMP
======================  ==========================================================================
version, package        ``query-version``
methods                 ``query-qmp-schema``: the enum of ``multifd-compression``
zero-page modes         the same, of ``zero-page-detection`` (QEMU 9.0 and later)
capabilities            the same, of ``migrate-set-capabilities``
architecture            ``query-target``
machine types           ``query-machines``: those of its families, which carry their version
======================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from multifd.errors import InputError
from multifd.qemu.arch import ARCHES, USUAL, X86, Arch, version_of
from multifd.wire.dialect import DIALECTS, Dialect

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
    """Versioned machine types of the usual family, oldest first."""
    others: dict[str, tuple[str, ...]] = {}
    """The same of other families, by name."""
    target: str = X86.name
    """Its architecture."""
    capabilities: tuple[str, ...] = ()
    """Of a migration."""

    @property
    def arch(self) -> Arch:
        """What a guest of it needs."""
        return ARCHES[self.target]

    @property
    def release(self) -> str:
        """``10.0.13``."""
        return ".".join(map(str, self.version))

    @property
    def dialect(self) -> Dialect:
        """The dialect that a QEMU of this version speaks."""
        return dialect_of(self.version[:2])


@cache
def dialect_of(version: tuple[int, ...]) -> Dialect:
    """The newest dialect of a release that is not newer than ``version``; raises :class:`InputError` for one older."""
    spoken = [d for d in DIALECTS.values() if d.name.startswith("qemu-") and _release(d.name) <= version]
    if not spoken:
        raise InputError(f"QEMU is {'.'.join(map(str, version))}, expected 5.0 or later: multifd was another before")
    return max(spoken, key=lambda d: d.order)


def common_machine(*sides: Facts, family: str = USUAL) -> str | None:
    """The newest machine type of a family that all of them have and that has a dialect, None if there is none."""
    first, *rest = (side.machines if family == USUAL else side.others.get(family, ()) for side in sides)
    return max(filter(has_dialect, set(first).intersection(*rest)), key=version_of, default=None)


def has_dialect(machine: str) -> bool:
    """Whether :func:`machine_dialect` knows the main channel of this machine type.

    8.1 and 8.2 are passed over: they write the flush word, and a QEMU of that age otherwise speaks ``qemu-5.0``,
    which has none.
    """
    version = version_of(machine)
    return version >= (5, 0) and not (8, 1) <= version < (9, 0)


def machine_dialect(machine: str) -> Dialect:
    """The dialect that is as old as the machine type: it decides how the main channel marks a SYNC."""
    return dialect_of(version_of(machine))


def read(
    version: Mapping[str, Any],
    schema: Sequence[Mapping[str, Any]],
    machines: Iterable[Mapping[str, Any]],
    target: str = X86.name,
) -> Facts:
    """Facts from the answers of QMP.

    Raises :class:`InputError` for a QEMU without multifd, of another architecture or without its machine types.
    """
    number = version["qemu"]
    release = (number["major"], number["minor"], number["micro"])
    methods = _values(schema, "multifd-compression")
    if not methods:
        raise InputError(f"QEMU {'.'.join(map(str, release))}: has no multifd-compression, expected 5.0 or later")
    versioned = {m["name"] for m in machines} | {m["alias"] for m in machines if "alias" in m}
    if target not in ARCHES:
        expected = " or ".join(arch.program for arch in ARCHES.values())
        raise InputError(f"QEMU {'.'.join(map(str, release))}: is for {target}, expected {expected}")
    families = {
        family: tuple(sorted(filter(pattern.fullmatch, versioned), key=version_of))
        for family, pattern in ARCHES[target].families.items()
    }
    usual = families.pop(USUAL)
    if not usual:
        missing, program = ARCHES[target].machines, ARCHES[target].program
        raise InputError(f"QEMU {'.'.join(map(str, release))}: has no machine {missing}, expected {program}")
    return Facts(
        version=release, package=version["package"], methods=methods, target=target,
        zero_pages=_values(schema, "zero-page-detection"), machines=usual, others=families,
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
