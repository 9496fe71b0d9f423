"""A history's file: runs go in once, come out as they were, and what is no history is refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.errors import EnvironmentBroke, InputError
from multifd.history import archive as archives
from multifd.history.archive import Archive
from multifd.history.entries import Entry
from multifd.history.tables import APPLICATION, VERSION
from multifd.result.record import Cell, Coverage, CpuSeconds, Reach, Results, Sides
from tests.reports.builder import cell, results

STARTED: Final = "2025-11-22T20:00:00Z"


def run(name: str, *cells: Cell, started: str = STARTED, **fields: Any) -> Results:
    """A run of these cells that goes by this name."""
    made = results(*cells)
    return made.model_copy(update={"run": made.run.model_copy(update={"id": name, "started": started, **fields})})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    with Archive(path, create=True) as made:
        yield made


def entries(archive: Archive, *only: str) -> dict[str, list[Entry]]:
    return {name: list(found) for name, found in archive.entries(only or None)}


def test_a_run_comes_out_as_it_went_in(archive: Archive) -> None:
    coverage = Coverage(cells={"wire": 1}, pairs=Reach(had=3, feasible=4))
    archive.add(run("one", cell(), seed=1 << 70, coverage=coverage))

    (past,) = archive.runs()

    assert (past.id, past.started, past.finished) == (
        "one", "2025-11-22T20:00:00.000000+00:00", "2025-11-22T20:01:23.000000+00:00",
    )  # fmt: skip
    assert (past.complete, past.exit_code, past.profile, past.seed) == (True, 0, "software-only", str(1 << 70))
    assert (past.versions["libqpl"], past.peers["zlib-ng"]) == ("1.9.0", "1.3.1, software")
    assert (past.cpu, past.planned, past.reach) == ("Intel Xeon Gold 6430", {"wire": 1}, {"pairs": (3, 4)})


def test_a_record_comes_out_as_it_went_in(archive: Archive) -> None:
    one = cell(id="wire/a", verdict="fail", kind="corrupt", device_verdict="unproven", reason="\0because\x1b",
               provenance=Sides(sender="hardware"), sender="qpl")  # fmt: skip
    archive.add(run("one", one))

    ((entry,),) = entries(archive).values()

    assert (entry.verdict, entry.kind, entry.device_verdict, entry.reason) == (
        "fail", "corrupt", "unproven", "\0because\x1b",
    )  # fmt: skip
    assert (entry.ran, entry.versions) == (("hardware", None), ("1.3.1, vendor-software", "1.3.1, software"))
    assert (entry.run.id, entry.standing) == ("one", "fail (corrupt)")


def test_runs_come_in_the_order_in_which_they_began_whatever_their_zone(archive: Archive) -> None:
    archive.add(run("late", cell(), started="2025-11-22T20:00:00+00:00"))
    archive.add(run("early", cell(), started="2025-11-22T20:00:00+02:00"))
    archive.add(run("earlier", cell(), started="2025-11-22T17:59:59.9"))

    assert [past.id for past in archive.runs()] == ["earlier", "early", "late"]
    assert [entry.run.id for entry in entries(archive)[cell().id]] == ["earlier", "early", "late"]


def test_cells_come_in_the_order_in_which_they_came(archive: Archive) -> None:
    archive.add(run("one", cell(id="b"), cell(id="a")))
    archive.add(run("two", cell(id="c"), cell(id="b")))

    assert archive.cells() == ("b", "a", "c")
    assert {name: len(found) for name, found in entries(archive).items()} == {"b": 2, "a": 1, "c": 1}


def test_only_the_cells_that_are_asked_for_come_out_as_they_are_asked_for(archive: Archive) -> None:
    archive.add(run("one", cell(id="a"), cell(id="b"), cell(id="c")))

    assert list(entries(archive, "c", "a", "nobody")) == ["c", "a"]


def test_adding_a_run_twice_is_one_run(archive: Archive) -> None:
    first, again = archive.add(run("one", cell())), archive.add(run("one", cell()))

    assert (first, again) == ("added", "already there")
    assert (len(archive.runs()), len(entries(archive)[cell().id])) == (1, 1)


def test_a_run_that_went_on_is_replaced(archive: Archive) -> None:
    archive.add(run("one", cell(id="a"), cell(id="b", verdict="not-run"), finished=None))

    again = archive.add(run("one", cell(id="a"), cell(id="b")))

    assert again == "replaced"
    assert [found[0].verdict for found in entries(archive).values()] == ["pass", "pass"]


def test_a_run_that_ended_is_not_replaced_by_what_it_was_before(archive: Archive) -> None:
    archive.add(run("one", cell()))

    again = archive.add(run("one", cell(verdict="not-run"), finished=None))

    assert again == "already there"
    assert [entry.verdict for entry in entries(archive)[cell().id]] == ["pass"]


def test_what_was_added_is_there_when_the_file_is_opened_again(path: Path, archive: Archive) -> None:
    archive.add(run("one", cell()))

    with Archive(path) as again:
        assert [past.id for past in again.runs()] == ["one"]


@pytest.mark.parametrize("size", [1 << 63, -1, 1 << 200])
def test_a_number_that_no_file_can_hold_is_refused_and_nothing_is_kept(size: int, archive: Archive) -> None:
    with pytest.raises(InputError, match=f"^wire/b: bytes_memory: {size}, expected 0 to {(1 << 63) - 1}$"):
        archive.add(run("one", cell(id="wire/a"), cell(id="wire/b").model_copy(update={"bytes_memory": size})))

    assert (archive.runs(), archive.cells()) == ((), ())


@pytest.mark.parametrize("seconds", [-1.0, 0.0])
def test_a_cost_that_is_none_is_left_out(seconds: float, archive: Archive) -> None:
    archive.add(run("one", cell(cpu_seconds=CpuSeconds(sender=seconds, receiver=2.0))))

    (measure,) = archive.measures("Intel Xeon Gold 6430")

    assert (measure.role, measure.peer, measure.provenance, measure.cpu) == ("receiver", "isal", "software", 2.0)


@pytest.mark.parametrize("fields", [{"suite": "qemu"}, {"verdict": "refused"}, {"bytes_memory": 0}])
def test_only_wire_cells_that_passed_have_a_cost(fields: dict[str, Any], archive: Archive) -> None:
    archive.add(run("one", cell(cpu_seconds=CpuSeconds(sender=1.0), **fields)))

    assert list(archive.measures("Intel Xeon Gold 6430")) == []


def test_costs_of_another_processor_are_left_out(archive: Archive) -> None:
    archive.add(run("one", cell(cpu_seconds=CpuSeconds(sender=1.0)), host={}))

    assert list(archive.measures("Intel Xeon Gold 6430")) == []
    assert len(list(archive.measures("unknown"))) == 1


# what is no history


def refusal(path: Path, *, create: bool = False) -> str:
    """Why a file is refused, without its path."""
    with pytest.raises(InputError) as error, Archive(path, create=create) as opened:
        dict(opened.entries())
        list(opened.measures("Intel Xeon Gold 6430"))
    return str(error.value).removeprefix(f"{path}: ")


def spoilt(path: Path, *statements: str) -> Path:
    """A history in which somebody changed something."""
    with Archive(path, create=True) as archive:
        archive.add(run("one", cell(cpu_seconds=CpuSeconds(sender=1.0))))
    with closing(sqlite3.connect(path)) as sql:
        for statement in statements:
            sql.execute(statement)
        sql.commit()
    return path


def test_where_there_is_none_the_remedy_is_told(path: Path) -> None:
    assert refusal(path) == "there is no history; remedy: multifd history add DIR, with the results of a run"
    assert not path.exists()


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(
    "content", [b"not SQLite, and longer than its header would be " * 9, b"SQLite format 3\0" + b"\xff" * 4080]
)
def test_what_is_not_sqlite_is_refused(content: bytes, create: bool, path: Path) -> None:
    path.write_bytes(content)

    assert "cannot be read as a history" in refusal(path, create=create)
    assert path.read_bytes() == content


@pytest.mark.parametrize("create", [False, True])
def test_sqlite_of_somebody_else_is_refused_and_left_alone(create: bool, path: Path) -> None:
    with closing(sqlite3.connect(path)) as sql:
        sql.execute("CREATE TABLE bookmarks (address TEXT)")
    content = path.read_bytes()

    assert refusal(path, create=create).startswith("is SQLite, and no history")
    assert path.read_bytes() == content


def test_a_newer_version_is_refused(path: Path) -> None:
    spoilt(path, f"PRAGMA user_version = {VERSION + 1}")

    assert refusal(path) == (
        f"is a history of version {VERSION + 1}, expected at most {VERSION}; a newer multifd reads it"
    )


def test_a_file_cut_in_two_is_refused(path: Path) -> None:
    os.truncate(spoilt(path), spoilt(path).stat().st_size // 2)

    assert "cannot be read as a history" in refusal(path)


@pytest.mark.parametrize(("statement", "message"), [
    ("DROP TABLE record", "table record is not as version 1 of a history has it"),
    ("DROP INDEX record_of_run", "index record_of_run is not as version 1 of a history has it"),
    ("ALTER TABLE run ADD COLUMN lunch", "table run is not as version 1 of a history has it"),
    ("CREATE TRIGGER own AFTER INSERT ON run BEGIN DELETE FROM run; END", "has a trigger, 'own'"),
])  # fmt: skip
def test_a_layout_that_somebody_changed_is_refused(statement: str, message: str, path: Path) -> None:
    assert refusal(spoilt(path, statement)).startswith(message)


def test_a_view_in_the_place_of_a_table_is_not_run(path: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x AS run FROM n"
    spoilt(path, "DROP TABLE record", f"CREATE VIEW record AS {endless}")

    assert refusal(path).startswith("table record is not as version 1")


def test_somebodys_own_view_is_left_to_him(path: Path) -> None:
    with Archive(spoilt(path, "CREATE VIEW mine AS SELECT count(*) FROM run")) as archive:
        assert len(archive.runs()) == 1


@pytest.mark.parametrize(("statement", "message"), [
    ("UPDATE record SET verdict = 'ok'", "verdict 'ok' in a record, expected one of error, fail, hazard,"),
    ("UPDATE record SET kind = x'00'", "kind b'\\x00' in a record, expected one of accepted, corrupt,"),
    ("UPDATE record SET device_verdict = ''", "device_verdict '' in a record, expected one of disturbed,"),
    ("UPDATE record SET sender_ran = 'magic'", "provenance 'magic' in a record, expected one of emulated,"),
    ("UPDATE record SET sender_cpu = 'much'", f"{4 << 20} bytes in 'much' seconds, expected numbers above 0"),
    ("UPDATE record SET sender_cpu = -1", f"{4 << 20} bytes in -1.0 seconds, expected numbers above 0"),
    ("UPDATE record SET bytes_memory = 'much'", "'much' bytes in 1.0 seconds, expected numbers above 0"),
    ("UPDATE said SET words = x'00'", "reason b'\\x00' in a record, expected text"),
    ("UPDATE run SET versions = '[]'", "run 'one': versions: Input should be a valid dictionary"),
    ("UPDATE run SET versions = '{'", "run 'one': expected JSON in versions, peers, planned, reach"),
    ("UPDATE run SET reach = x'ff'", "run 'one': expected JSON in versions, peers, planned, reach"),
    ("UPDATE run SET reach = '{\"pairs\": [1]}'", "run 'one': reach.pairs"),
    ("UPDATE run SET exit_code = 'x'", "run 'one': exit_code: Input should be a valid integer"),
    ("UPDATE run SET started = CAST(x'ff' AS TEXT)", "cannot be read as a history: Could not decode to UTF-8"),
])  # fmt: skip
def test_a_value_that_has_no_meaning_is_refused(statement: str, message: str, path: Path) -> None:
    assert refusal(spoilt(path, statement)).startswith(message)


def test_a_record_of_no_run_is_no_record(path: Path) -> None:
    with Archive(spoilt(path, "DELETE FROM run")) as archive:
        assert dict(archive.entries()) == {}


# the host


def test_a_directory_is_none(path: Path) -> None:
    path.mkdir()

    assert refusal(path) == "is a directory, and no history; expected a file that multifd history add made"
    assert refusal(path, create=True).startswith("is a directory, and no history")


@pytest.mark.parametrize("create", [False, True])
def test_a_device_is_none(create: bool) -> None:
    assert refusal(Path("/dev/null"), create=create).startswith("is no regular file, and no history")


def test_a_place_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"there is no directory {tmp_path}/nowhere, expected one"):
        Archive(tmp_path / "nowhere" / "history.sqlite", create=True)


def test_who_writes_at_the_same_time_is_waited_for_and_then_told_of(
    path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_WAIT", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, Archive(path) as second:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(EnvironmentBroke, match="database is locked"):
            second.add(run("one", cell()))


def test_two_who_add_at_once_both_do(path: Path, archive: Archive) -> None:
    def add(name: str) -> None:
        with Archive(path) as own:
            own.add(run(name, *(cell(id=f"wire/{n}") for n in range(50))))

    threads = [threading.Thread(target=add, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(past.id for past in archive.runs()) == ["one", "three", "two"]


def test_a_name_with_every_sign_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=ro&b#c%20.sqlite"

    with Archive(path, create=True) as made:
        made.add(run("one", cell()))

    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_an_error_in_the_middle_leaves_the_file_as_it_was(path: Path) -> None:
    spoilt(path)
    copied = shutil.copy(path, path.with_suffix(".before"))

    with Archive(path) as archive, pytest.raises(InputError):
        archive.add(run("one", cell(), cell(id="b").model_copy(update={"bytes_memory": -1})))

    with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(copied)) as before:
        assert list(now.iterdump()) == list(before.iterdump())


def test_it_says_of_itself_what_it_is(path: Path, archive: Archive) -> None:
    with closing(sqlite3.connect(path)) as sql:
        assert sql.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        assert sql.execute("PRAGMA user_version").fetchone() == (VERSION,)
