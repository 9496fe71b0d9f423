"""The event log and the results file.

``events.jsonl`` is appended to and flushed with every record, so that whatever happens to the run, what was
finished is kept; ``results.json`` is built from it, at the end or afterwards (``multifd report DIR``).

======  ==========================================================================================
event   carries
======  ==========================================================================================
run     the circumstances: ``Run`` with ``finished`` None and ``complete`` False
peer    one peer of the line-up
plan    every planned cell as a record with verdict ``not-run``
cell    one cell's record; the last one for an id counts
end     when the run finished and whether it is complete
======  ==========================================================================================
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from multifd.errors import EnvironmentBroke, InputError
from multifd.result.known import KnownIssue, findings, shipped
from multifd.result.record import Cell, Peer, Results, Run

EVENTS: Final = "events.jsonl"
RESULTS: Final = "results.json"
PLAN: Final = "plan.json"


class EventLog:
    """Appends events; every one is on its way to the disk when :meth:`write` returns."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / EVENTS
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb", buffering=0)
        except OSError as problem:
            raise EnvironmentBroke(f"{self.path}: cannot write: {problem.strerror}") from None

    def write(self, event: str, **content: Any) -> None:
        """Append one event; raises :class:`EnvironmentBroke` when the disk does not take it."""
        self._append(json.dumps({"event": event, **content}, separators=(",", ":")).encode())

    def write_cell(self, event: Literal["plan", "cell"], cell: Cell) -> None:
        """Append one record: thousands of them go this way, so they are made into JSON once."""
        self._append(b'{"event":"%s","cell":%s}' % (event.encode(), cell.model_dump_json().encode()))

    def _append(self, content: bytes) -> None:
        line = memoryview(content + b"\n")
        try:
            start = os.lseek(self._file.fileno(), 0, os.SEEK_END)
            written = self._file.write(line) or 0
            while written < len(line):
                more = self._file.write(line[written:]) or 0
                written += more
        except OSError as problem:
            # Half a line would hide the next one. What is no file (/dev/full) has no half lines.
            with suppress(OSError):
                os.ftruncate(self._file.fileno(), start)
            raise EnvironmentBroke(f"{self.path}: cannot write: {problem.strerror}") from None

    def close(self) -> None:
        """Nothing more will be appended."""
        self._file.close()


def read_events(directory: Path) -> Iterable[dict[str, Any]]:
    """Events of a log, in order; an unfinished last line is left out. Raises :class:`InputError`."""
    path = directory / EVENTS
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as problem:
        raise InputError(f"{path}: cannot read: {problem.strerror}; expected the directory of a run") from None
    for number, line in enumerate(lines[:-1], 1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(f"{path}: line {number} is not JSON") from None
        if not isinstance(event, dict) or "event" not in event:
            raise InputError(f"{path}: line {number} is no event")
        yield event


def build(directory: Path, issues: Iterable[KnownIssue]) -> Results:
    """Results from the event log; a run without an end is incomplete. Raises :class:`InputError`."""
    run: dict[str, Any] | None = None
    peers: list[Peer] = []
    cells: dict[str, Cell] = {}
    try:
        for event in read_events(directory):
            match event:
                case {"event": "run", "run": dict() as fields}:
                    run = fields
                case {"event": "peer", "peer": fields}:
                    peers.append(Peer.model_validate(fields))
                case {"event": "plan" | "cell", "cell": fields}:
                    cell = Cell.model_validate(fields)
                    cells[cell.id] = cell
                case {"event": "end", "finished": finished, "complete": complete} if run is not None:
                    run |= {"finished": finished, "complete": complete}
                case {"event": name}:
                    raise InputError(f"{directory / EVENTS}: event {name!r} is unknown or out of place")
        if run is None:
            raise InputError(f"{directory / EVENTS}: holds no run")
        return Results(
            run=Run.model_validate(run),
            peers=tuple(peers),
            findings=findings(cells.values(), issues),
            cells=tuple(cells.values()),
        )
    except ValidationError as problem:
        first = problem.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{directory / EVENTS}: {problem.title}: {path}: {first['msg']}") from None


def save(results: Results, directory: Path) -> Path:
    """Write ``results.json``, whole or not at all; raises :class:`EnvironmentBroke`."""
    path = directory / RESULTS
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(results.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise EnvironmentBroke(f"{path}: cannot write: {problem.strerror}") from None
    return path


def load(directory: Path) -> Results:
    """Read ``results.json``, or what the event log has where there is none; raises :class:`InputError`."""
    path = directory / RESULTS
    if not path.is_file():
        return build(directory, shipped())
    try:
        return Results.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "(whole)"
        raise InputError(f"{path}: {where}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{path}: cannot read: {problem}") from None
