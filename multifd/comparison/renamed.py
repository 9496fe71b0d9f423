"""Two names for one peer: a QEMU is called by its version, and its successor is to be compared with it cell by cell."""

from __future__ import annotations

from collections.abc import Mapping

from multifd.errors import InputError
from multifd.nearest import suggestion
from multifd.result.record import Cell, Finding, Results


def renamed(before: Results, names: Mapping[str, str]) -> Results:
    """The run as if its peers had these names; the keys are those that it has.

    Raises :class:`InputError` for a name that it does not have, and where two cells would have one id.
    """
    if not names:
        return before
    there = {peer.name for peer in before.peers}
    for name in names:
        if name not in there:
            raise InputError(f"--rename {name}: no peer of the run before; {suggestion(name, there)}")
    cells = tuple(_cell(cell, names) for cell in before.cells)
    ids = {old.id: new.id for old, new in zip(before.cells, cells, strict=True)}
    if len(set(ids.values())) < len(ids):
        twice = ", ".join(f"{old}={new}" for old, new in names.items())
        raise InputError(
            f"--rename {twice}: two cells of the run before would have one id; expected a name that is free"
        )
    return before.model_copy(
        update={
            "cells": cells,
            "peers": tuple(each.model_copy(update={"name": names.get(each.name, each.name)}) for each in before.peers),
            "unable": tuple(
                each.model_copy(update={"peer": names.get(each.peer, each.peer)}) for each in before.unable
            ),
            "findings": tuple(_finding(each, ids) for each in before.findings),
        }
    )


def _cell(cell: Cell, names: Mapping[str, str]) -> Cell:
    sender, receiver = names.get(cell.sender, cell.sender), names.get(cell.receiver, cell.receiver)
    was, now = f"{cell.sender}~{cell.receiver}", f"{sender}~{receiver}"
    parts = (
        now if part == was else names.get(part, part) if cell.suite == "probe" else part for part in cell.id.split("/")
    )
    return cell.model_copy(update={"id": "/".join(parts), "sender": sender, "receiver": receiver})


def _finding(finding: Finding, ids: Mapping[str, str]) -> Finding:
    return finding.model_copy(update={"cells": tuple(ids.get(name, name) for name in finding.cells)})
