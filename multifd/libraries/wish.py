"""What can be fetched: packages, the suites that have them, and how the result is run.

A wish becomes one tree with all its dependencies. Recommended packages are left out; so are dependencies that
exist for a package manager's sake only. Suites are Debian's (packages.debian.org); the oldest suite of a wish
carries the dependencies, the last one the package itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from multifd.accelerator import VENDOR
from multifd.errors import InputError

_SUITE: Final = re.compile(r"[a-z][a-z0-9+.-]*")
NOT_NEEDED: Final = re.compile(
    r"gcc-\d+-base"  # an empty folder and a changelog
    r"|libc-gconv-modules-extra"  # iconv's tables
    r"|openssl-provider-legacy"  # MD4, Blowfish
    r"|systemd|libsystemd-shared"  # a running init
    r"|libasound2-data"  # sound cards
)
"""Dependencies that no program of ours ever opens, by full name."""


@dataclass(frozen=True)
class Wish:
    """One tree to be fetched; ``suites`` from the oldest to the one that has the packages."""

    name: str
    suites: tuple[str, ...]
    packages: tuple[str, ...]
    program: tuple[str, ...] = ()
    """What the tree runs, relative to its root, with arguments (``{root}`` is the root); Python if empty."""


def libraries(suite: str) -> Wish:
    """All vendor libraries of one suite; raises :class:`InputError` if that is not a suite's name."""
    if not _SUITE.fullmatch(suite):
        raise InputError(f"suite is {suite!r}, expected a name such as 'sid' or 'trixie'")
    return Wish(f"libraries-{suite}", (suite,), tuple(codec.package for codec in VENDOR.values()))


_QEMU: Final = (
    "{root}/usr/bin/qemu-system-x86_64",
    *("-L", "{root}/usr/share/qemu"),
    *("-L", "{root}/usr/share/seabios"),
)

QEMU: Final = tuple(
    Wish(f"qemu-{suites[-1]}", suites, ("qemu-system-x86",), _QEMU)
    for suites in (("bookworm", "bookworm-backports"), ("trixie",), ("sid",))
)
"""Versions of QEMU that differ from each other: 10.0.2, 10.0.13 and 11.1.3 at the time of writing."""
