"""Two names for one peer: a QEMU is called by its version, and its successor is to be compared with it cell by cell.

A run may have both: then one run answers whether the successor is worse. Every cell that names the new one is held
against the same cell with the old one in its place, at either end; one between the two is held against the old one's
with itself. What names neither says nothing of the two, and is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from multifd.errors import InputError
from multifd.nearest import suggestion
from multifd.result.counted import counted
from multifd.result.record import Cell, Finding, Results


class Renamed(NamedTuple):
    """Two runs in which every peer goes by one name."""

    before: Results
    after: Results
    rule: str | None = None
    """What is compared with what, in words, where that is not every cell with its like."""


def renamed(before: Results, after: Results, names: Mapping[str, str]) -> Renamed:
    """Both runs; ``names`` are peers of the run before, each with its name in the run after.

    Raises :class:`InputError` for a name that its run does not have, for a new one that two peers would have, and for a
    name that is an old one and a new one.
    """
    if not names:
        return Renamed(before, after)
    _check(before, after, names)
    both = {peer.name for peer in before.peers} & set(names.values())
    asked = tuple(cell for cell in after.cells if not both or _has(cell, names.values()))
    held = tuple(_held(before, asked, names, apart=bool(both)))
    there = {peer.name for peer in after.peers}
    was = before.model_copy(
        update={
            "cells": tuple(new for _, new in held),
            "peers": tuple(
                each.model_copy(update={"name": name}) for each in before.peers for name in _by(each.name, names, there)
            ),
            "unable": tuple(
                each.model_copy(update={"peer": name})
                for each in before.unable
                for name in _by(each.peer, names, there)
            ),
            "findings": tuple(_findings(before.findings, ((old.id, new.id) for old, new in held))),
        }
    )
    like = len({cell.id for cell in asked} & {new.id for _, new in held})
    if not both:
        return Renamed(was, after)
    shown = tuple(_findings(after.findings, ((cell.id, cell.id) for cell in asked)))
    return Renamed(was, after.model_copy(update={"cells": asked, "findings": shown}), _rule(names, len(asked), like))


def _check(before: Results, after: Results, names: Mapping[str, str]) -> None:
    for run, each, which in ((before, names, "before"), (after, names.values(), "after")):
        there = {peer.name for peer in run.peers}
        for name in each:
            if name not in there:
                raise InputError(f"--rename {name}: no peer of the run {which}; {suggestion(name, there)}")
    for old, new in names.items():
        if old == new:
            raise InputError(f"--rename {old}={new}: expected two different names, for a peer is no worse than itself")
        if new in names:
            raise InputError(
                f"--rename {old}={new} and {new}={names[new]}: {new} is the new name and an old one; compare one by one"
            )
    twice = sorted({new for new in names.values() if list(names.values()).count(new) > 1})
    if twice:
        raise InputError(f"--rename: {twice[0]} would be the new name of two peers, expected one for each")


def _rule(names: Mapping[str, str], cells: int, like: int) -> str:
    """``like`` of the cells have a partner."""
    told = ", ".join(f"{new}, each with the same of {old} in its place" for old, new in names.items())
    none = f", and for {cells - like:,} more there is none" if like < cells else ""
    return (
        f"compared: {counted(like)} of {told}{none}; a migration between the two with one of the old to itself;"
        " cells of neither are left out"
    )


def _held(
    before: Results, asked: Iterable[Cell], names: Mapping[str, str], *, apart: bool
) -> Iterator[tuple[Cell, Cell]]:
    """Cells of the run before as they are, and as the run after calls them; ``apart`` if only those of both names."""
    back = {new: old for old, new in names.items()}
    qemus = {peer.name for peer in before.peers if peer.kind == "qemu"}
    there: dict[str, list[Cell]] = {}
    for cell in before.cells:
        there.setdefault(_key(cell, {}, qemus & set(names)), []).append(cell)
    used = set()
    for cell in asked:
        old = _like(cell, there.get(_key(cell, back, qemus & set(names)), ())) if _has(cell, back) else None
        if old is not None:
            used.add(old.id)
            called = {name: getattr(cell, name) for name in ("id", "sender", "receiver", "dialect")}
            yield old, old.model_copy(update=called)
    for cell in before.cells:
        if cell.id not in used and not (apart and (_has(cell, back) or not _has(cell, names))):
            yield cell, cell.model_copy(update=_called(cell, names))


def _like(cell: Cell, found: Sequence[Cell]) -> Cell | None:
    """The one of these that it is; a real QEMU has another dialect for being of another version."""
    same = [each for each in found if each.dialect == cell.dialect] or found
    return same[0] if len(same) == 1 else None


def _has(cell: Cell, names: Collection[str]) -> bool:
    return cell.sender in names or cell.receiver in names


def _called(cell: Cell, names: Mapping[str, str]) -> dict[str, str]:
    """What names its peers, with these names."""
    sender, receiver = names.get(cell.sender, cell.sender), names.get(cell.receiver, cell.receiver)
    was, now = f"{cell.sender}~{cell.receiver}", f"{sender}~{receiver}"
    parts = (
        now if part == was else names.get(part, part) if cell.suite == "probe" else part for part in cell.id.split("/")
    )
    return {"id": "/".join(parts), "sender": sender, "receiver": receiver}


def _key(cell: Cell, names: Mapping[str, str], qemus: Collection[str]) -> str:
    """Its id with these names, and without its dialect where that is what the version of one of these QEMUs has."""
    called = _called(cell, names)
    if not {called["sender"], called["receiver"]} & set(qemus):
        return called["id"]
    dialect = cell.dialect.replace(">", "~")
    return "/".join(part for part in called["id"].split("/") if part != dialect)


def _by(name: str, names: Mapping[str, str], there: Collection[str]) -> Iterator[str]:
    """What a peer is called: by its new name, and by its own where the run after has that as well."""
    if name in names:
        yield names[name]
    if name not in names.values() and (name not in names or name in there):
        yield name


def _findings(findings: Iterable[Finding], pairs: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """With the ids that their cells have now; none of whose cells none is left."""
    ids: dict[str, list[str]] = {}
    for old, new in pairs:
        ids.setdefault(old, []).append(new)
    for finding in findings:
        cells = tuple(name for old in finding.cells for name in ids.get(old, ()))
        if cells:
            yield finding.model_copy(update={"cells": cells})
