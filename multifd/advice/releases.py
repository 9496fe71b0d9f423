"""What a release of QEMU can do, for hosts of which only the version is known.

======================  ==================================================================================
fact                    source
======================  ==========================================================================
methods, wire           the dialect that the release speaks (:mod:`multifd.wire.dialect`)
zero-page modes         ``zero-page-detection``, qapi/migration.json, QEMU 9.0
machine types           one a release; from 10.1 on those that are six years old are gone
                        (``MACHINE_VER_SHOULD_DELETE``, include/hw/boards.h, QEMU 10.1)
defaults                ``hw_compat_8_2``, hw/core/machine.c, QEMU 9.0
======================  ==================================================================================

A release can be built with fewer methods: ``qpl``, ``uadk`` and ``qatzip`` need their libraries, which no Debian build
has. What binaries themselves have said is held against this in tests/advice/test_releases.py.
"""

from __future__ import annotations

import re
from typing import Final

from multifd.errors import InputError
from multifd.qemu.arch import ARCHES, X86, Arch, version_of
from multifd.qemu.defaults import Defaults
from multifd.qemu.facts import Facts, dialect_of
from multifd.wire.dialect import DETECTION

_VERSION: Final = re.compile(r"(?:qemu-)?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")
OLDEST: Final = (5, 0)
"""Before it multifd was another."""
_MINORS: Final = 3
"""Releases that QEMU has in a year, from 5.0 on: X.0, X.1, X.2."""
_YEARS: Final = 6
"""Releases before 10.1 kept their machine types longer; of those with multifd no other release had any that old."""
_PACKETS: Final = (9, 0)
"""The first release with zero pages in packets, and the first machine type that has them by default."""
CHANNELS: Final = 2
"""Default of ``multifd-channels`` in every release (``DEFAULT_MIGRATE_MULTIFD_CHANNELS``, QEMU 5.0)."""


def releases(newest: str) -> list[str]:
    """All releases up to this one, as ``7.2``, the newest first."""
    last = release(newest).version[:2]
    known = ((major, minor) for major in range(OLDEST[0], last[0] + 1) for minor in range(_MINORS))
    return [f"{major}.{minor}" for major, minor in known if (major, minor) <= last][::-1]


def is_version(text: str) -> bool:
    """Whether it is meant as a version, good or bad."""
    return _VERSION.fullmatch(text) is not None


def release(text: str, arch: Arch = X86) -> Facts:
    """What the release ``qemu-7.2`` can do, or ``7.2.22``; raises :class:`InputError` for one that there is not."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise InputError(f"version {text!r}: expected one such as qemu-7.2 or qemu-10.0.2")
    major, minor, micro = (int(number or 0) for number in match.groups())
    if (major, minor) < OLDEST or minor >= _MINORS:
        raise InputError(
            f"version {text!r}: there is no QEMU {major}.{minor} with multifd as it is now; expected"
            " 5.0, 5.1, 5.2, 6.0 and so on"
        )
    spoken = dialect_of((major, minor))
    return Facts(
        version=(major, minor, micro), package="", methods=spoken.methods,
        zero_pages=tuple(DETECTION) if (major, minor) >= _PACKETS else (),
        machines=tuple(f"{arch.machines}-{old}.{older}" for old, older in _machines((major, minor))),
        target=arch.name,
    )  # fmt: skip


def _machines(version: tuple[int, int]) -> list[tuple[int, int]]:
    known = [(major, minor) for major in range(OLDEST[0], version[0] + 1) for minor in range(_MINORS)]
    return [each for each in known if each <= version and not _deleted(each, version)]


def _deleted(machine: tuple[int, int], version: tuple[int, int]) -> bool:
    return (version[0] - machine[0], version[1] - machine[1]) >= (_YEARS, 0)


def untold(facts: Facts, machine: str) -> Defaults:
    """What a QEMU runs with on a machine type if it is told nothing; one without a version is as new as the QEMU."""
    since = version_of(machine) if is_versioned(machine) else facts.version[:2]
    zero_pages = "multifd" if since >= _PACKETS else "legacy"
    return Defaults(zero_pages=zero_pages, channels=CHANNELS, method="none")


def is_versioned(machine: str) -> bool:
    """Whether a machine type carries the version of its behaviour."""
    return any(family.fullmatch(machine) for arch in ARCHES.values() for family in arch.families.values())


def shared(sender: Facts, receiver: Facts) -> str | None:
    """The newest machine type of the usual family that both have, None if there is none."""
    return max(set(sender.machines) & set(receiver.machines), key=version_of, default=None)
