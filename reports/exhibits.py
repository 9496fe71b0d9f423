"""What lies beside a results file and belongs to its cells: the words of QEMU processes, maps of wrong pages, packets.

It is read for the worst cells first and up to a limit, so that a report of many failures stays small: of the others
the page has the links. What cannot be read, or is not what it should be, is as if it were not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from multifd.result.printable import printable
from multifd.result.record import Cell
from reports.matrix import worst_first
from reports.visible import link

CELLS: Final = 3000
"""So many cells' exhibits are taken into the page."""
LARGEST: Final = 4 << 20
"""Bytes of a file that is read."""
STRETCHES: Final = 2000
"""Of a map."""
CHARACTERS: Final = 2000
"""Of what a process wrote, from its end: the cause stands last."""
PACKETS: Final = 40
_HOLDS: Final = ("never sent", "older")

Map = tuple[tuple[str, int, int, str], ...]
"""RAM block, first page, number of pages, what they hold."""
Words = tuple[str, int | None, str, tuple[str, ...]]
"""Who, its exit status, its stderr, what it said over QMP was wrong."""


@dataclass(frozen=True)
class Exhibits:
    """Of one cell."""

    pages: Map = ()
    words: tuple[Words, ...] = ()
    packets: tuple[str, ...] = ()
    """Lines, as ``multifd dissect`` has them."""


def read(cells: Iterable[Cell], directory: Path | None) -> dict[str, Exhibits]:
    """By id of cell, those that have any."""
    if directory is None:
        return {}
    having = worst_first(cell for cell in cells if cell.artifacts)[:CELLS]
    found = {cell.id: _of(cell, directory) for cell in having}
    return {name: exhibits for name, exhibits in found.items() if exhibits != Exhibits()}


def _of(cell: Cell, directory: Path) -> Exhibits:
    pages: Map = ()
    words: list[Words] = []
    packets: tuple[str, ...] = ()
    for artifact in cell.artifacts:
        match artifact.rpartition("/")[2]:
            case "pages.json":
                pages = _pages(_json(directory, artifact))
            case "packets.json":
                packets = _packets(_json(directory, artifact))
            case name if name.endswith(".words.json"):
                words += _words(_json(directory, artifact))
    return Exhibits(pages, tuple(words), packets)


def _json(directory: Path, artifact: str) -> Any:
    path = directory / artifact
    try:
        if link(artifact) is None or not path.resolve().is_relative_to(directory.resolve()):
            return None
        return json.loads(path.read_bytes()) if path.is_file() and path.stat().st_size <= LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None


def _pages(read: Any) -> Map:
    stretches = read if isinstance(read, list) else []
    return tuple(
        (printable(block), first, count, holds)
        for each in stretches[:STRETCHES]
        if isinstance(each, dict)
        and isinstance(block := each.get("block"), str)
        and isinstance(first := each.get("first"), int)
        and isinstance(count := each.get("count"), int)
        and (holds := each.get("holds")) in _HOLDS
        and 0 <= first < 1 << 40
        and 0 < count < 1 << 40
    )


def _packets(read: Any) -> tuple[str, ...]:
    lines = read if isinstance(read, list) else []
    return tuple(printable(line)[:CHARACTERS] for line in lines[:PACKETS] if isinstance(line, str))


def _words(read: Any) -> list[Words]:
    if not isinstance(read, dict) or not isinstance(name := read.get("name"), str):
        return []
    status, stderr, talk = read.get("exit_status"), read.get("stderr"), read.get("qmp")
    said = dict.fromkeys(_wrong(each) for each in talk) if isinstance(talk, list) else {}
    return [
        (
            printable(name),
            status if isinstance(status, int) else None,
            printable(stderr[-CHARACTERS:]) if isinstance(stderr, str) else "",
            tuple(printable(line)[:CHARACTERS] for line in said if line)[:PACKETS],
        )
    ]


def _wrong(said: Any) -> str:
    """What an answer over QMP says was wrong; empty where nothing was."""
    if not isinstance(said, dict):
        return ""
    command, answer, error = said.get("execute"), said.get("return"), said.get("error")
    if error is not None:
        text = error.get("desc") if isinstance(error, dict) else error
        return f"{command}: {text}"
    if isinstance(answer, dict) and isinstance(text := answer.get("error-desc"), str):
        return f"{command}: {answer.get('status')}: {text}"
    return ""
