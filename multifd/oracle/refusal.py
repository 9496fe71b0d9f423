"""What QEMU's own checks refuse before anything is sent: over QMP, or when it is started with ``-global``.

======================================  ===================================================================
check                                   in QEMU
======================================  ===================================================================
a value that an enum does not have      QAPI's visitors, from the schema of the binary
two capabilities that do not fit        ``migrate_caps_check``, migration/options.c (QEMU 10.0)
a parameter that does not fit           ``migrate_params_check``, as above
======================================  ===================================================================

The versions are those of a table, the capabilities and methods those that the binary names itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from multifd.oracle.decision import Decision
from multifd.oracle.question import Question, Told

_MULTIFD: Final = "multifd"
_COMPRESSION: Final = "compression"
_TLS: Final = "TLS"
_ALWAYS: Final = (99, 0)


@dataclass(frozen=True, slots=True)
class Clash:
    """A capability that is refused together with something else."""

    capability: str
    others: frozenset[str]
    """Any of these: ``multifd``, ``compression`` by a method, ``TLS``."""
    words: str
    since: tuple[int, int] = (5, 0)
    """Releases that check it, from this one …"""
    before: tuple[int, int] = _ALWAYS
    """… to those before this one."""


CLASHES: Final = (
    Clash(
        "zero-copy-send", frozenset({_COMPRESSION, _TLS}),
        "Zero copy only available for non-compressed non-TLS multifd migration",
    ),
    Clash(
        "mapped-ram", frozenset({_COMPRESSION, _TLS}),
        "Mapped-ram only available for non-compressed non-TLS multifd migration",
    ),
    Clash("background-snapshot", frozenset({_MULTIFD}), "Background-snapshot is not (compatible|supported)"),
    Clash("compress", frozenset({_MULTIFD}), "Multifd is not compatible with compress", since=(7, 2)),
    Clash("xbzrle", frozenset({_MULTIFD}), "Multifd is not compatible with xbzrle", since=(8, 2)),
    Clash(
        "postcopy-ram", frozenset({_MULTIFD}), "Postcopy is not yet compatible with multifd",
        since=(8, 0), before=(10, 1),
    ),
)  # fmt: skip
"""Measured with 7.2.22, 10.0.2, 10.0.13 and 11.1.3; where a check came or went, by the history of
``migrate_caps_check``. At a background-snapshot the host's kernel and the guest's memory are looked at first, and on
some hosts that is what is said (``... with guest memory configuration``)."""
LEVELS: Final[Mapping[str, tuple[int, int]]] = {
    "multifd-zlib-level": (0, 9),
    "multifd-zstd-level": (0, 20),
    "multifd-qatzip-level": (1, 9),
}
"""Least and most of a parameter (qapi/migration.json, QEMU 10.0)."""


def refused(q: Question) -> Decision | None:
    """What the first end to be told refuses: the destination, for it must listen before anybody connects."""
    return next((decision for told in q.told for decision in _refusals(told)), None)


def _refusals(told: Told) -> Iterator[Decision]:
    """Capabilities are set first, then parameters."""
    release = told.facts.version[:2]
    asked = {_MULTIFD} | ({_COMPRESSION} if told.method != "none" else set()) | ({_TLS} if told.tls else set())
    if told.method not in told.facts.methods:
        methods = ", ".join(told.facts.methods)
        yield Decision(
            "rejected",
            f"{told.qemu} is told multifd-compression={told.method}, and knows {methods}",
            f"Parameter 'multifd-compression' does not accept value '{told.method}'",
        )
    for clash in CLASHES:
        if clash.capability in told.on and clash.others & asked and clash.since <= release < clash.before:
            because = f"{clash.capability} together with {' and '.join(sorted(clash.others & asked))}"
            yield Decision("rejected", f"{told.qemu} does not take {because}", clash.words)
    yield from _levels(told.qemu, told.parameters)


def _levels(qemu: str, parameters: Mapping[str, Any]) -> Iterator[Decision]:
    for name, (least, most) in LEVELS.items():
        value = parameters.get(name, least)
        if not least <= value <= most:
            # 10.0 writes multifd_zlib_level, 11.1 multifd-zlib-level.
            words = rf"{name.replace('-', '[-_]')}'? expects a value between {least} and {most}"
            yield Decision("rejected", f"{qemu} is told {name}={value}, of {least} to {most}", words)
