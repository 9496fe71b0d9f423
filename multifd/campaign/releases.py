"""What the ends of a cell run: real QEMUs and vendor libraries, with their versions, for the known issues' ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from multifd.accelerator import VENDOR
from multifd.libraries.find import Library
from multifd.lineup.peers import LineUp
from multifd.plan.work import Pairing, Work
from multifd.result.record import Role
from multifd.result.versions import Release, Releases


def releases_of(work: Work, line_up: LineUp, libraries: Mapping[str, Library]) -> Releases:
    """The products at either end; beside a splice both ends are the one QEMU, whoever codes."""
    names: dict[Role, str] = {"sender": work.sender, "receiver": work.receiver}
    qemus = {role: qemu.facts.release for role, name in names.items() if (qemu := line_up.qemu(name)) is not None}
    if isinstance(work, Pairing) and work.plan.mode == "splice":
        qemus = {role: qemu for qemu in qemus.values() for role in names}
    return Releases(
        {
            role: (
                *((Release("QEMU", qemus[role]),) if role in qemus else ()),
                *_of_library(name, line_up, libraries),
            )
            for role, name in names.items()
        }
    )


def _of_library(name: str, line_up: LineUp, libraries: Mapping[str, Library]) -> Iterator[Release]:
    peer = next((each for each in line_up.peers if each.name == name and not each.external), None)
    codec = peer.codec if peer is not None else name
    if codec is not None and codec in VENDOR:
        library = libraries.get(codec)
        told = peer.version if peer is not None else None
        yield Release(VENDOR[codec].library, library.version if library is not None else told)
