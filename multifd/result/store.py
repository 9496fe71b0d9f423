"""The event log and the results file.

``events.jsonl`` is appended to and flushed with every record, so that whatever happens to the run, what was
finished is kept; ``results.json`` is built from it, at the end or afterwards (``multifd report DIR``). Where both are
there the log is believed: results whose log has no end are those of a run that was killed while it wrote them.

======  ==========================================================================================
event   carries
======  ==========================================================================================
run     the circumstances: ``Run`` with ``finished`` None and ``complete`` False
peer    one peer of the line-up
unable  what one peer cannot do in one role
plan    every planned cell as a record with verdict ``not-run``, or ``skip`` where that is known
cell    one cell's record; of several for one id the worst counts (:mod:`multifd.result.badness`)
lost    a worker of the run that died, and the cell that it ran, None where nobody knows
end     when the run finished, and whether it was interrupted; a log without it was cut off. It comes
        when results and reports are written: a run that could not do that has no end
======  ==========================================================================================

A run writes its log beside that of the run before. Not before its plan is whole does it take the place of the other
one, and what was made of that one goes: a directory holds one run, all of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from multifd.errors import EnvironmentBroke, InputError
from multifd.foreign import whole
from multifd.result.agreed import check_agreed
from multifd.result.answers import answered
from multifd.result.badness import worse
from multifd.result.claims import Seen
from multifd.result.conclusion import conclude
from multifd.result.garbage import uncollected
from multifd.result.intake import EXPECTED, amiss, begins_version_1, parse
from multifd.result.known import KnownIssue, findings, shipped
from multifd.result.lock import NOT_THERE, Lock
from multifd.result.placing import opened, put
from multifd.result.planned import check_planned, check_recorded
from multifd.result.record import Cell, Coverage, Model, Peer, Results, Run, Unable
from multifd.result.terms import Instant

EVENTS: Final = "events.jsonl"
RESULTS: Final = "results.json"
REPORTS: Final = ("junit.xml", "report.md", "report.html", "matrix.svg")
"""What is made of the results, the main one last but for the picture that is made when asked for."""


_MOST: Final = 4 << 30
"""Bytes of a log, or of results: those of a million cells."""
_FIRST: Final = 1 << 20
"""Bytes of the first event that are looked at."""


class End(NamedTuple):
    """How a run ended."""

    finished: Instant
    """ISO 8601, UTC."""
    interrupted: bool
    """By somebody, or by an environment that broke."""


_END: Final = TypeAdapter(End)


class EventLog:
    """Appends events; every one is on its way to the disk when the method returns.

    The directory is this run's alone until :meth:`close`. Raises :class:`InputError` while another run has it and where
    none can be made, and all methods :class:`EnvironmentBroke` when the disk does not take what they write.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / EVENTS
        self._beside = self.path.with_suffix(".jsonl.new")
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            if problem.errno in NOT_THERE:
                raise InputError(
                    f"{self.path}: cannot write: {problem.strerror}; expected a directory, or where one can be made"
                ) from None
            raise self._broke(problem) from None
        self._lock = Lock(directory)
        try:
            self._file = open(opened(self._beside), "wb", buffering=0)  # noqa: PTH123, SIM115  (a descriptor)
        except OSError as problem:
            self._lock.release()
            raise self._broke(problem) from None

    def write_run(self, run: Run) -> None:
        """The circumstances; the first event of a log."""
        self._model("run", run)

    def write_peer(self, peer: Peer) -> None:
        """A peer that takes part."""
        self._model("peer", peer)

    def write_unable(self, entry: Unable) -> None:
        """What a peer cannot do."""
        self._model("unable", entry)

    def write_plan(self, cell: Cell) -> None:
        """A cell before it runs."""
        self._model("plan", cell, "cell")

    def planned(self) -> None:
        """The plan is whole: from here on the directory holds this run, and the one before is gone."""
        try:
            # Until its log is replaced the run before can be reported again.
            for path in _derived(self.path.parent):
                path.unlink(missing_ok=True)
            self._beside.replace(self.path)
        except OSError as problem:
            raise self._broke(problem) from None

    def write_cell(self, cell: Cell) -> None:
        """A record."""
        self._model("cell", cell)

    def write_lost(self, worker: str, cell: str | None) -> None:
        """A worker died, while it ran this cell if that is known."""
        self._append(json.dumps({"event": "lost", "worker": worker, "cell": cell}, separators=(",", ":")).encode())

    def write_coverage(self, coverage: Coverage) -> None:
        """What the cells that have run combine."""
        self._model("coverage", coverage)

    def write_end(self, end: End) -> None:
        """The run is over."""
        self._append(json.dumps({"event": "end", **end._asdict()}, separators=(",", ":")).encode())

    def finish(self, end: End, render: Callable[[Results, Path], object]) -> Results:
        """Write results.json, let ``render`` write the reports, and then the end: all of it, or nothing.

        Raises :class:`EnvironmentBroke` also for the OSError of ``render``.
        """
        directory = self.path.parent
        results = build(directory, shipped(), end)
        try:
            save(results, directory)
            render(results, directory)
            self.write_end(end)
        except (OSError, EnvironmentBroke) as problem:
            for path in _derived(directory):
                _discard(path)
            if isinstance(problem, OSError):
                raise EnvironmentBroke(f"{directory}: cannot write reports: {problem.strerror}") from None
            raise
        return results

    def close(self) -> None:
        """Nothing more will be appended; a log that never got its plan goes."""
        self._file.close()
        self._beside.unlink(missing_ok=True)
        self._lock.release()

    def _model(self, event: str, content: Model, key: str | None = None) -> None:
        """Thousands go this way, so they are made into JSON once."""
        self._append(b'{"event":"%s","%s":%s}' % (
            event.encode(), (key or event).encode(), content.model_dump_json().encode(),
        ))  # fmt: skip

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
            raise self._broke(problem) from None

    def _broke(self, problem: OSError) -> EnvironmentBroke:
        return EnvironmentBroke(f"{self.path}: cannot write: {problem.strerror}")


def read_events(directory: Path) -> Iterable[dict[str, Any]]:
    """Events of a log, in order; an unfinished last line is left out. Raises :class:`InputError`."""
    path = directory / EVENTS
    try:
        lines = whole(path, _MOST).split(b"\n")
    except OSError as problem:
        raise InputError(f"{path}: cannot read: {problem.strerror}; expected the directory of a run") from None
    except InputError as problem:
        raise InputError(f"{path}: {problem}; expected the directory of a run") from None
    for number, line in enumerate(lines[:-1], 1):
        try:
            event = from_json(line, allow_inf_nan=False)
        except ValueError:
            raise InputError(f"{path}: line {number} is not JSON") from None
        if not isinstance(event, dict) or "event" not in event:
            raise InputError(f"{path}: line {number} is no event")
        yield event


@uncollected()
def build(directory: Path, issues: Iterable[KnownIssue], end: End | None = None) -> Results:
    """Results from the event log, whose end is yet to be written if it is given here.

    A run without an end is incomplete. Raises :class:`InputError`, also where a part of the plan is lost.
    """
    path = directory / EVENTS
    run: Run | None = None
    peers: list[Peer] = []
    unable: list[Unable] = []
    plan: dict[str, Cell] = {}
    records: dict[str, Cell] = {}
    lost = 0
    try:
        for event in read_events(directory):
            match event:
                case {"event": "run", "run": fields}:
                    run = Run.model_validate(fields)
                case {"event": "peer", "peer": fields}:
                    peers.append(Peer.model_validate(fields))
                case {"event": "unable", "unable": fields}:
                    unable.append(Unable.model_validate(fields))
                case {"event": "plan", "cell": fields}:
                    cell = Cell.model_validate(fields)
                    plan[cell.id] = cell
                case {"event": "cell", "cell": fields}:
                    cell = Cell.model_validate(fields)
                    records[cell.id] = worse(records.get(cell.id, cell), cell)
                case {"event": "coverage", "coverage": fields}:
                    run = _reached(run, Coverage.model_validate(fields))
                case {"event": "lost", "worker": str()}:
                    lost += 1
                case {"event": "end", "finished": str() as when, "interrupted": bool() as interrupted}:
                    end = _END.validate_python({"finished": when, "interrupted": interrupted})
                case {"event": name}:
                    raise InputError(f"{path}: event {name!r} is unknown or out of place")
    except ValidationError as problem:
        raise InputError(f"{path}: {problem.title}: {amiss(problem)}") from None
    if run is None:
        raise InputError(f"{path}: holds no run")
    check_planned(run, plan.values(), f"{path}: plan")
    check_recorded(records, plan, f"{path}: cell")
    cells = tuple((plan | records).values())
    conclusion = conclude(cells, ended=end is not None and not end.interrupted)
    finished = end.finished if end is not None else None
    results = Results(
        run=run.model_copy(update={"finished": finished, "complete": conclusion.complete, "workers_lost": lost}),
        peers=tuple(peers),
        unable=tuple(unable),
        findings=findings(cells, issues),
        cells=cells,
        answers=answered(Seen(cells, peers, unable)),
    )
    check_agreed(results, str(path))
    return results


def _reached(run: Run | None, coverage: Coverage) -> Run | None:
    """The run with what it has covered."""
    return run.model_copy(update={"coverage": coverage}) if run is not None else None


def _derived(directory: Path) -> Iterator[Path]:
    """All that is made from the log."""
    return (directory / name for name in (RESULTS, *REPORTS))


def _discard(path: Path) -> None:
    """Remove what was left half done, if that is possible: why it was left is what its user wants to know."""
    with suppress(OSError):
        path.unlink()


def text(results: Results) -> str:
    """What ``results.json`` has of them."""
    return results.model_dump_json(by_alias=True, indent=1) + "\n"


def save(results: Results, directory: Path) -> Path:
    """Write ``results.json``, whole or not at all; raises :class:`EnvironmentBroke`."""
    path = directory / RESULTS
    try:
        return put(path, text(results))
    except OSError as problem:
        raise EnvironmentBroke(f"{path}: cannot write: {problem.strerror}") from None


def load(directory: Path) -> Results:
    """What the event log has, or ``results.json`` where there is no log; raises :class:`InputError`."""
    if not (os.path.lexists(directory / EVENTS) or os.path.lexists(directory / RESULTS)):
        raise InputError(f"{directory}: {_nothing(directory)}")
    found = None if has_log(directory) else written(directory)
    return found or build(directory, shipped())


def load_from(path: Path) -> Results:
    """The same of a directory, or what a results file has that stands somewhere by itself.

    An event log stands for its directory.
    """
    if path.name == EVENTS:
        path = path.parent
    return _read(path) if os.path.isfile(path) else load(path)  # noqa: PTH113  (whatever the name: no error)


def _nothing(directory: Path) -> str:
    """What is there where there is no run, and what was expected."""
    if os.path.isdir(directory):  # noqa: PTH112
        return f"holds no run, neither {EVENTS} nor {RESULTS}; {EXPECTED}"
    if os.path.exists(directory):  # noqa: PTH110
        return "is a file; expected the directory that a run was given as --results"
    return f"there is no such file or directory; {EXPECTED}"


def is_written(results: Results, directory: Path) -> bool:
    """There is a ``results.json``, and it is what would be written of these, byte for byte."""
    try:
        return whole(directory / RESULTS, _MOST) == text(results).encode()
    except (OSError, InputError):
        return False


def written(directory: Path) -> Results | None:
    """What ``results.json`` has, None where there is none; raises :class:`InputError`."""
    path = directory / RESULTS
    return _read(path) if os.path.lexists(path) else None


def has_log(directory: Path) -> bool:
    """There is an event log, readable or not, that is not of version 1: of that only the results are read."""
    path = directory / EVENTS
    if not (os.path.lexists(path) and os.path.lexists(directory / RESULTS)):
        return os.path.lexists(path)
    try:
        return not (path.is_file() and begins_version_1(_first_line(path)))
    except OSError:
        return True


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline(_FIRST)


def _read(path: Path) -> Results:
    try:
        content = whole(path, _MOST).decode()
    except (OSError, UnicodeDecodeError, InputError) as problem:
        raise InputError(f"{path}: cannot read: {problem}") from None
    results = parse(content, str(path))
    check_planned(results.run, results.cells, f"{path}: cells")
    check_agreed(results, str(path))
    return results
