"""The file: opened, and runs added to it. It is SQLite, so that whoever has a question of his own can ask it.

Whatever is in it may be somebody else's or broken: it is checked as it is read, and no code in it is run.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal, Self, cast, get_args
from urllib.parse import quote

from pydantic import ValidationError

from multifd.errors import EnvironmentBroke, InputError
from multifd.history.entries import Entry, Measure, Past
from multifd.history.tables import APPLICATION, SCRIPTS, VERSION
from multifd.result.conclusion import exit_code
from multifd.result.placing import check_file
from multifd.result.record import Cell, DeviceVerdict, Kind, Provenance, Results, Verdict

NAME: Final = "history.sqlite"
Added = Literal["added", "replaced", "already there"]

_LARGEST: Final = 1 << 63
"""A number that SQLite cannot hold."""
_WAIT: Final = 10.0
"""Seconds that another process may write meanwhile."""
_HOST: Final = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM,
}  # fmt: skip
"""Errors that the file has nothing to do with."""
_KNOWN: Final = {
    "verdict": {*get_args(Verdict)},
    "kind": {*get_args(Kind), None},
    "device_verdict": {*get_args(DeviceVerdict)},
    "provenance": {*get_args(Provenance), None},
}
_RUN: Final = tuple(Past.model_fields)
_JSON: Final = ("versions", "peers", "planned", "reach")


class Archive:
    """A history; a context manager, which closes it.

    Raises :class:`InputError` where it is none, :class:`EnvironmentBroke` where the host does not let it be used.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path: Final = path
        if path == Path():
            raise InputError("no path of a history, or only '.'; expected a file that multifd history add made")
        if not create and not path.exists():
            raise InputError(f"{path}: there is no history; remedy: multifd history add DIR, with the results of a run")
        if path.exists() and not path.is_file():
            what = "a directory" if path.is_dir() else "no regular file"
            raise InputError(f"{path}: is {what}, and no history; expected a file that multifd history add made")
        if create:
            check_file(path, "--history")
        with self._told():
            mode = "rwc" if create else "rw"
            address = f"file:{quote(str(path.absolute()))}?mode={mode}"
            self._sql = sqlite3.connect(address, uri=True, isolation_level=None, timeout=_WAIT)
        try:
            with self._told():
                self._open(create=create)
        except BaseException:
            self._sql.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sql.close()

    def add(self, results: Results) -> Added:
        """Add a run; one that is there already is replaced if there is more of it now.

        Raises :class:`InputError` for what no history can hold.
        """
        digest = hashlib.sha256(results.model_dump_json().encode()).hexdigest()
        with self._told(), self._transaction():
            there = self._sql.execute("SELECT digest, finished FROM run WHERE id = ?", (results.run.id,)).fetchone()
            if there is not None and (there[0] == digest or (there[1] and not results.run.finished)):
                return "already there"
            self._sql.execute("DELETE FROM run WHERE id = ?", (results.run.id,))
            self._insert(results, digest)
        return "added" if there is None else "replaced"

    def runs(self) -> tuple[Past, ...]:
        """All runs, the oldest first."""
        with self._told():
            rows = self._sql.execute(f"SELECT {', '.join(_RUN)} FROM run ORDER BY started, number").fetchall()
        return tuple(map(self._past, rows))

    def cells(self) -> tuple[str, ...]:
        """Ids of all cells that a run had, in the order in which they came."""
        with self._told():
            return tuple(str(name) for (name,) in self._sql.execute("SELECT id FROM cell ORDER BY number"))

    def entries(self, only: Iterable[str] | None = None) -> Iterator[tuple[str, tuple[Entry, ...]]]:
        """Every cell, or these, with its records, the oldest first."""
        runs = {run.number: run for run in self.runs()}
        for condition, parameters in [("true", ())] if only is None else [("cell.id = ?", (name,)) for name in only]:
            query = f"""
                SELECT cell.id, cell.sender, cell.receiver, record.run, verdict, kind, device_verdict, sender_ran,
                       receiver_ran, words
                FROM record JOIN cell ON cell.number = record.cell JOIN run ON run.number = record.run
                     JOIN said ON said.number = record.reason
                WHERE {condition} ORDER BY cell.number, run.started, run.number
            """
            with self._told(), closing(self._sql.execute(query, parameters)) as rows:
                for name, records in groupby(rows, key=lambda row: row[0]):
                    yield str(name), tuple(self._entry(runs, record) for record in records)

    def measures(self, cpu: str) -> Iterator[Measure]:
        """What ends of cells of suite ``wire`` cost that passed, on hosts with this processor."""
        query = """
            SELECT record.run, record.cell, framing, cell.sender, cell.receiver, sender_ran, receiver_ran, bytes_memory,
                   sender_cpu, receiver_cpu
            FROM record JOIN cell ON cell.number = record.cell JOIN run ON run.number = record.run
            WHERE suite = 'wire' AND verdict = 'pass' AND bytes_memory > 0 AND cpu = ?
        """
        with self._told(), closing(self._sql.execute(query, (cpu,))) as rows:
            for run, cell, framing, sender, receiver, sent, received, memory, encode, decode in rows:
                for role, peer, ran, took in (
                    ("sender", sender, sent, encode),
                    ("receiver", receiver, received, decode),
                ):
                    if took is not None:
                        self._check("provenance", ran)
                        self._measured(memory, took)
                        yield Measure(
                            run, cell, framing, peer, cast('Literal["sender", "receiver"]', role), ran, memory, took
                        )

    def _open(self, *, create: bool) -> None:
        # Nothing that stands in the file may run: views, triggers and defaults of others are data.
        self._sql.executescript("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;")
        application, version = _number(self._sql, "application_id"), _number(self._sql, "user_version")
        empty = not self._sql.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not (create and empty) and application != APPLICATION:
            raise InputError(f"{self.path}: is SQLite, and no history; expected a file that multifd history add made")
        if version > VERSION:
            raise InputError(
                f"{self.path}: is a history of version {version}, expected at most {VERSION}; a newer multifd reads it"
            )
        if version < VERSION:
            with self._transaction():
                _upgrade(self._sql)
        with closing(sqlite3.connect(":memory:")) as ours:
            _upgrade(ours)
            for what, made in _layout(ours).items():
                if _layout(self._sql).get(what) != made:
                    raise InputError(f"{self.path}: {' '.join(what)} is not as version {VERSION} of a history has it")
        for kind, name in _layout(self._sql):
            if kind == "trigger":
                raise InputError(f"{self.path}: has a trigger, {name!r}; expected none: what is in it is data")

    def _insert(self, results: Results, digest: str) -> None:
        run = results.run
        reach = {
            name: (found.had, found.feasible)
            for name, found in (("pairs", run.coverage.pairs), ("triples", run.coverage.triples))
            if found is not None
        }
        peers = {peer.name: f"{peer.version}, {peer.provenance}" for peer in results.peers}
        row = {
            "id": run.id, "digest": digest, "started": _instant(run.started), "complete": run.complete,
            "finished": None if run.finished is None else _instant(run.finished),
            "exit_code": exit_code(results), "profile": run.profile, "seed": str(run.seed), "plan": run.plan,
            "cpu": str(run.host.get("cpu", "unknown")), "versions": json.dumps(run.versions),
            "peers": json.dumps(peers), "planned": json.dumps(run.coverage.cells), "reach": json.dumps(reach),
        }  # fmt: skip
        names = ", ".join(row)
        added = self._sql.execute(
            f"INSERT INTO run ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )
        cells = self._numbers(
            "cell", "id, suite, framing, sender, receiver",
            {cell.id: (cell.id, cell.suite, cell.framing, cell.sender, cell.receiver) for cell in results.cells},
        )  # fmt: skip
        words = self._numbers("said", "words", {cell.reason: (cell.reason,) for cell in results.cells})
        self._sql.executemany(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_record(cell, cells[cell.id], cast("int", added.lastrowid), words[cell.reason]) for cell in results.cells],
        )

    def _numbers(
        self, table: Literal["cell", "said"], columns: str, rows: dict[str, tuple[str, ...]]
    ) -> dict[str, int]:
        """Numbers of these rows, which are made where they are not there, by their first column."""
        first, *others = columns.split(", ")
        values = ", ".join("?" * (1 + len(others)))
        self._sql.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({values})", rows.values())
        # One by one, for text may have a NUL, at which SQLite's lists in JSON end it.
        query = f"SELECT number FROM {table} WHERE {first} = ?"
        return {key: self._sql.execute(query, (key,)).fetchone()[0] for key in rows}

    def _past(self, row: tuple[Any, ...]) -> Past:
        fields = dict(zip(_RUN, row, strict=True))
        try:
            return Past.model_validate(
                {name: json.loads(value) if name in _JSON else value for name, value in fields.items()}
            )
        except ValidationError as problem:
            first = problem.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise InputError(f"{self.path}: run {fields['id']!r}: {field}: {first['msg']}") from None
        except (TypeError, ValueError, RecursionError):
            raise InputError(f"{self.path}: run {fields['id']!r}: expected JSON in {', '.join(_JSON)}") from None

    def _entry(self, runs: dict[int, Past], row: tuple[Any, ...]) -> Entry:
        _, sender, receiver, number, verdict, kind, device_verdict, sent, received, reason = row
        for field, value in (("verdict", verdict), ("kind", kind), ("device_verdict", device_verdict)):
            self._check(field, value)
        for value in (sent, received):
            self._check("provenance", value)
        if not isinstance(reason, str):
            raise InputError(f"{self.path}: reason {reason!r} in a record, expected text")
        run = runs[number]
        versions = run.peers.get(sender, "unknown"), run.peers.get(receiver, "unknown")
        return Entry(run, verdict, kind, device_verdict, (sent, received), versions, reason)

    def _measured(self, memory: object, took: object) -> None:
        if not (isinstance(memory, int) and isinstance(took, float) and took > 0):
            raise InputError(f"{self.path}: {memory!r} bytes in {took!r} seconds, expected numbers above 0")

    def _check(self, field: str, value: object) -> None:
        if value not in _KNOWN[field]:
            expected = ", ".join(sorted(str(each) for each in _KNOWN[field] if each))
            raise InputError(f"{self.path}: {field} {value!r} in a record, expected one of {expected}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._sql.execute("ROLLBACK")
            raise
        self._sql.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as ours: the host's, or the file's."""
        try:
            yield
        except sqlite3.Error as problem:
            code = getattr(problem, "sqlite_errorcode", None)
            if code is not None and code & 0xFF in _HOST:
                raise EnvironmentBroke(f"{self.path}: {problem}") from None
            remedy = "remedy: move it away, and add the runs again"
            raise InputError(f"{self.path}: cannot be read as a history: {problem}; {remedy}") from None


def _upgrade(sql: sqlite3.Connection) -> None:
    """To this version, from whichever it has."""
    for script in SCRIPTS[_number(sql, "user_version") :]:
        for statement in script.split(";"):
            sql.execute(statement)
    sql.execute(f"PRAGMA application_id = {APPLICATION}")
    sql.execute(f"PRAGMA user_version = {VERSION}")


def _number(sql: sqlite3.Connection, pragma: Literal["application_id", "user_version"]) -> int:
    return int(sql.execute(f"PRAGMA {pragma}").fetchone()[0])


def _layout(sql: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """Tables, indices and whatever else is there, and how each was made; of SQLite's own there is nothing."""
    rows = sql.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {(kind, name): made for kind, name, made in rows}


def _record(cell: Cell, number: int, run: int, reason: int) -> tuple[object, ...]:
    if not 0 <= cell.bytes_memory < _LARGEST:
        raise InputError(f"{cell.id}: bytes_memory: {cell.bytes_memory}, expected 0 to {_LARGEST - 1}")
    sides = cell.provenance
    return (
        number, run, cell.verdict, cell.kind, cell.device_verdict, sides.sender, sides.receiver, reason,
        cell.bytes_memory, _taken(cell.cpu_seconds.sender), _taken(cell.cpu_seconds.receiver),
    )  # fmt: skip


def _taken(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds > 0 else None


def _instant(text: str) -> str:
    """ISO 8601 in UTC to the microsecond."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds")
