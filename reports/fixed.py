"""Whether the versions of a run have what mended a finding."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final, get_args

from packaging.version import Version

from multifd.result import versions
from multifd.result.record import Cell, Finding, Peer, Results, Role

_QEMU: Final = "QEMU"
_VERBS: Final = {True: ("has", "have"), False: ("lacks", "lack")}
_FIXED: Final = re.compile(r"(\d+(?:\.\d+)*)(?: as (sender|receiver))?")


def ran(results: Results, finding: Finding, cells: Iterable[Cell]) -> tuple[str, ...]:
    """What the cells of a finding ran of the software that has it, each as ``QEMU 7.2.22``."""
    return tuple(dict.fromkeys(f"{product} {release}" for product, release, _ in _releases(results, finding, cells)))


def fixed(results: Results, finding: Finding, cells: Iterable[Cell]) -> str:
    """Since when it is mended, and whether what this run ran is."""
    if finding.fixed_in is None:
        return "not known to be fixed"
    found = _FIXED.fullmatch(finding.fixed_in)
    if found is None:
        return finding.fixed_in
    since, role = Version(found[1]), found[2]
    has: dict[bool, list[str]] = {False: [], True: []}
    for product, release, ends in _releases(results, finding, cells):
        if release is not None and (role is None or role in ends):
            has[release >= since].append(f"{product} {release}")
    said = [
        f"{' and '.join(names)} of this run {_VERBS[newer][len(names) > 1]} the fix"
        for newer, named in has.items()
        if (names := dict.fromkeys(named))
    ]
    return "; ".join([finding.fixed_in, *said])


def _releases(
    results: Results, finding: Finding, cells: Iterable[Cell]
) -> Iterator[tuple[str, Version | None, Collection[Role]]]:
    """Product and release of every end that the finding's versions speak of, and as what it took part."""
    peers = {peer.name: peer for peer in results.peers}
    wanted = _wanted(finding.versions)
    for cell in cells:
        ends: tuple[tuple[Role, Peer | None], ...] = (
            ("sender", peers.get(cell.sender)), ("receiver", peers.get(cell.receiver)),
        )  # fmt: skip
        # Beside a splice both ends are the one QEMU, whoever codes.
        alone = sum(_product(peer) == _QEMU for _, peer in ends) == 1
        for role, peer in ends:
            product = _product(peer)
            roles = get_args(Role) if alone and product == _QEMU else (role,)
            if peer is not None and any((product, each) in wanted for each in (None, *roles)):
                yield product, versions.number(peer.version), roles


def _wanted(text: str) -> Collection[tuple[str, Role | None]]:
    try:
        return {(clause.product, clause.role) for clause in versions.clauses(text)}
    except ValueError:  # a newer multifd, or a stranger, may have ranges of its own
        return ()


def _product(peer: Peer | None) -> str:
    """As ranges of versions name it: a library's codec is called as the library is."""
    if peer is None or peer.provenance == "emulated":
        return ""
    return _QEMU if peer.kind == "qemu" else f"lib{peer.codec}"
