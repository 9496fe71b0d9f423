"""Defects of releases that lose memory although both ends agree on the wire, so that no rule of the oracle sees them.

They are mended, and docs/history.md says which cell finds each; a fleet may run a release that has them all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from multifd.qemu.facts import Facts
from multifd.result import versions
from multifd.result.versions import Release, Releases


@dataclass(frozen=True, slots=True)
class Defect:
    """One of them."""

    commit: str
    """Of QEMU, that mended it."""
    versions: str
    """That have it, as :mod:`multifd.result.versions` reads it."""
    what: str
    """A sentence."""
    methods: frozenset[str] = frozenset()
    """That show it; none for all."""
    packets: bool = False
    """Only with zero pages in packets (``zero-page-detection=multifd``)."""

    def __str__(self) -> str:
        return f"{self.what} (mended by QEMU commit {self.commit}, which 9.2.1 has)"


DEFECTS: Final = (
    Defect(
        "cdc3970f85", "QEMU >=9.0,<=9.2.0 as sender",
        "packets of zero pages only are not sent under compression: pages that become zero keep their old content",
        frozenset({"zlib", "zstd", "qpl", "uadk", "qatzip"}), packets=True,
    ),
    Defect(
        "2588a5f99b", "QEMU >=9.1,<=9.2.0 as receiver",
        "qpl's receiver does not mark pages as received: one that becomes zero later keeps its old content",
        frozenset({"qpl"}), packets=True,
    ),
    Defect(
        "a523bc5216", "QEMU ==9.2.0 as receiver",
        "qatzip's receiver does not mark pages as received: one that becomes zero later keeps its old content",
        frozenset({"qatzip"}), packets=True,
    ),
    Defect(
        "b93d897ea2", "QEMU <9.0 as sender; QEMU ==9.2.0 as receiver",
        "a sender before 9.0 puts SYNC on packets with pages now and then, and this receiver drops their pages",
    ),
)  # fmt: skip
"""All of QEMU, those that are met first at the top."""


def met(sender: Facts, receiver: Facts, method: str, zero_pages: str) -> Iterator[Defect]:
    """Those that a migration with this method and ``zero-page-detection`` meets."""
    ends = Releases({"sender": (_qemu(sender),), "receiver": (_qemu(receiver),)})
    for defect in DEFECTS:
        concerned = not defect.methods or method in defect.methods
        if concerned and (zero_pages == "multifd" or not defect.packets) and versions.meets(defect.versions, ends):
            yield defect


def _qemu(facts: Facts) -> Release:
    return Release("QEMU", facts.release)
