"""Releases of qatlib that are known not to work on some hosts: one row each, as the vendor tells them.

All of README.md (qatlib 26.08), *Resolved Issues*, by their reference there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from multifd.device.found import Problem
from multifd.device.pci import Function
from multifd.device.qat_generation import PHYSICAL, VIRTUAL
from multifd.device.qat_manager import release_of
from multifd.device.sysfs import Host

LIBRARY: Final = "libqat.so.4"
"""qatlib's library; its soname is of 23.08 and later."""
HUGE_PAGES: Final = "/sys/kernel/mm/hugepages/hugepages-2048kB"
_LONG_TERM: Final = re.compile(r"6\.1\.(\d+)(-\d)?")
"""Of a distribution the release is that of its binary interface, ``6.1.0-37-amd64``, and says nothing of the patch."""
_DEBIAN: Final = re.compile(r"Debian 6\.1\.(\d+)")
_MENDED: Final = 149
_FIRST_GENERATION: Final = "qat_4xxx"

Release = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Erratum:
    """One known break."""

    reference: str
    of: Callable[[Release], bool]
    """Whether a release of qatlib has it."""
    met: Callable[[Host, Function], bool]
    """Whether a host and a VF meet it."""
    what: str
    fix: str


def known(host: Host, function: Function) -> Iterator[Problem]:
    """Those that the installed qatlib meets on a function of this host; none where no qatlib is known."""
    version = host.library(LIBRARY)
    release = release_of(version)
    if release is None:
        return
    for erratum in ERRATA:
        if erratum.of(release) and erratum.met(host, function):
            yield Problem(f"qatlib {version} {erratum.what} ({erratum.reference} of qatlib)", erratum.fix)


def _first_long_term(host: Host, function: Function) -> bool:
    found = _LONG_TERM.match(host.release)
    if found is not None and found[2]:
        found = _DEBIAN.search(host.text("/proc/sys/kernel/version") or "")
    generation = PHYSICAL.get(function.device) or VIRTUAL[function.device]
    return found is not None and generation.module == _FIRST_GENERATION and int(found[1]) < _MENDED


def _other_domain(_host: Host, function: Function) -> bool:
    return not function.address.startswith("0000:")


def _closed_huge_pages(host: Host, _function: Function) -> bool:
    """Huge pages are there, and the folder in which libqat makes its files is closed to this user."""
    return bool(host.number(f"{HUGE_PAGES}/nr_hugepages")) and not host.permits("/dev/hugepages")


def _taken_huge_pages(host: Host, _function: Function) -> bool:
    return bool(host.number(f"{HUGE_PAGES}/nr_hugepages")) and host.number(f"{HUGE_PAGES}/free_hugepages") == 0


ERRATA: Final = (
    Erratum(
        "QATE-106085",
        lambda release: release in {(24, 9), (25, 8)},
        _first_long_term,
        "does not start a 4xxx on Linux 6.1 before 6.1.149",
        "# install Linux 6.1.149 or later, or another release of qatlib, both its library and its service",
    ),
    Erratum(
        "QATE-99637",
        lambda release: release < (24, 9),
        _other_domain,
        "finds no device outside PCI domain 0000",
        "# install qatlib 24.09 or later, both its library and its service",
    ),
    Erratum(
        "QAT20-41022",
        lambda release: release == (25, 8),
        _closed_huge_pages,
        "starts for root alone where the host has huge pages of 2 MiB",
        "# install qatlib 26.02 or later, both its library and its service; or, if nobody needs huge pages:\n"
        "# echo 0 > /proc/sys/vm/nr_hugepages",
    ),
    Erratum(
        "QAT20-42018",
        lambda release: (25, 8) <= release < (26, 8),
        _taken_huge_pages,
        "does not start where the host has huge pages of 2 MiB and all are taken",
        "# install qatlib 26.08 or later, both its library and its service;\n"
        "# or have more huge pages than others take:\n"
        "# echo N > /proc/sys/vm/nr_hugepages",
    ),
)
