"""What can be fetched: packages, the suites that have them, and how the result is run.

A wish becomes one tree with all its dependencies. Recommended packages are left out; so are dependencies that
exist for a package manager's sake only. Suites are Debian's (packages.debian.org); the oldest suite of a wish
carries the dependencies, the last one the package itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
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
    """What is wanted; a suite that lacks some of them still gives the others."""
    program: tuple[str, ...] = ()
    """What the tree runs, relative to its root, with arguments (``{root}`` is the root); Python if empty."""


def libraries(suite: str, codecs: Collection[str] = tuple(VENDOR)) -> Wish:
    """Vendor libraries of one suite, by the names of their codecs, with what they open themselves.

    Raises :class:`InputError` if that is not a suite's name.
    """
    if not _SUITE.fullmatch(suite):
        raise InputError(f"suite is {suite!r}, expected a name such as 'sid' or 'trixie'")
    wanted = [codec for name, codec in VENDOR.items() if name in codecs]
    name = "libraries" if len(wanted) == len(VENDOR) else "-".join(codec.library for codec in wanted)
    opened = (each.packages["debian"] for codec in wanted for each in codec.opens)
    return Wish(f"{name}-{suite}", (suite,), (*(codec.package for codec in wanted), *opened))


def by_suite(asked: Sequence[str], newest: str) -> tuple[Wish, ...]:
    """Every vendor library from the suite that is asked for, each either ``SUITE`` or ``LIBRARY=SUITE``.

    A suite without a library's name is for those that are not named, ``newest`` where there is none. Raises
    :class:`InputError` for a library or a suite that there is not, and for one that is asked for twice.
    """
    chosen: dict[str, str] = {}
    for each in asked:
        library, named, suite = each.rpartition("=")
        if named and library not in _BY_LIBRARY:
            raise InputError(f"--suite {each}: library is {library!r}, expected one of {', '.join(_BY_LIBRARY)}")
        if library in chosen:
            raise InputError(
                f"--suite {each}: {library or 'the suite of all libraries'} is {chosen[library]!r} already"
            )
        chosen[library] = suite
    suites: dict[str, list[str]] = {}
    for library, codec in _BY_LIBRARY.items():
        suites.setdefault(chosen.get(library, chosen.get("", newest)), []).append(codec)
    return tuple(libraries(suite, codecs) for suite, codecs in suites.items())


_BY_LIBRARY: Final = {codec.library: name for name, codec in VENDOR.items()}
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
