"""The event log and the results file: what was finished is kept, whatever happens to the run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import EnvironmentBroke, InputError
from multifd.result import schema, store
from multifd.result.known import KnownIssue
from multifd.result.record import Cell, Results, Run
from multifd.result.store import EventLog, build, load, read_events, save
from tests.reports.builder import cell, peer, results

RUN: Final = results().run.model_copy(update={"finished": None, "complete": False})
PLANNED: Final = tuple(cell(id=f"wire/{n}", verdict="not-run", observed="not-run", reason="not run") for n in range(3))
FINISHED: Final = tuple(cell(id=f"wire/{n}") for n in range(3))


def dumped(model: Run | Cell | Any) -> Any:
    return model.model_dump(mode="json")


def log(directory: Path, *events: tuple[str, dict[str, Any]]) -> Path:
    """A log of these events."""
    log = EventLog(directory)
    for event, content in events:
        log.write(event, **content)
    log.close()
    return directory / store.EVENTS


START: Final = (
    ("run", {"run": dumped(RUN)}),
    ("peer", {"peer": dumped(peer("zlib", "software"))}),
    *(("plan", {"cell": dumped(one)}) for one in PLANNED),
)
CELLS: Final = tuple(("cell", {"cell": dumped(one)}) for one in FINISHED)
END: Final = ("end", {"finished": "2025-11-22T20:01:23Z", "complete": True})


def refusal(directory: Path) -> str:
    """Why the log is refused, without its path."""
    with pytest.raises(InputError) as error:
        build(directory, [])
    return str(error.value).removeprefix(f"{directory / store.EVENTS}: ")


def test_a_run_that_ended_is_complete(tmp_path: Path) -> None:
    log(tmp_path, *START, *CELLS, END)

    built = build(tmp_path, [])

    assert built == Results(
        run=RUN.model_copy(update={"finished": "2025-11-22T20:01:23Z", "complete": True}),
        peers=(peer("zlib", "software"),),
        findings=(),
        cells=FINISHED,
    )


def test_a_run_without_an_end_keeps_what_was_finished(tmp_path: Path) -> None:
    log(tmp_path, *START, CELLS[1])

    built = build(tmp_path, [])

    assert (built.run.complete, built.run.finished) == (False, None)
    assert built.cells == (PLANNED[0], FINISHED[1], PLANNED[2])


def test_the_last_record_of_a_cell_counts(tmp_path: Path) -> None:
    broken = FINISHED[0].model_copy(update={"verdict": "error", "reason": "the host broke"})
    log(tmp_path, *START, CELLS[0], ("cell", {"cell": dumped(broken)}))

    assert build(tmp_path, []).cells[0] == broken


def test_findings_are_those_of_the_given_issues(tmp_path: Path) -> None:
    shown = cell(id="wire/0", verdict="hazard", predicted="hazard", observed="hazard", reason="old content")
    issue = KnownIssue(
        id="old", component="QEMU", versions="7.2", severity="corruption", cause="it is not looked at",
        verdict="hazard", message="old content",
    )  # fmt: skip
    log(tmp_path, *START, ("cell", {"cell": dumped(shown)}))

    (finding,) = build(tmp_path, [issue]).findings

    assert (finding.id, finding.cells) == ("old", ("wire/0",))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The log of a whole run."""
    return log(tmp_path_factory.mktemp("whole"), *START, *CELLS, END).read_bytes()


@given(data=st.data())
def test_a_log_that_was_cut_anywhere_keeps_every_finished_record(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = whole.index(b"\n") + 1
    cut = data.draw(st.integers(first, len(whole) - 1))
    directory = tmp_path_factory.getbasetemp() / "cut"
    directory.mkdir(exist_ok=True)
    (directory / store.EVENTS).write_bytes(whole[:cut])

    built = build(directory, [])

    lines = whole[:cut].split(b"\n")[:-1]
    assert not built.run.complete
    assert sum(one.verdict == "pass" for one in built.cells) == sum(b'"event":"cell"' in line for line in lines)


@pytest.mark.parametrize("kept", [0, 1, 50])
def test_a_log_that_was_cut_before_its_first_record_ended_holds_no_run(kept: int, whole: bytes, tmp_path: Path) -> None:
    (tmp_path / store.EVENTS).write_bytes(whole[:kept])

    assert refusal(tmp_path) == "holds no run"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"garbage", "line 6 is not JSON"),
        (b"", "line 6 is not JSON"),
        (b"\xff\xfe", "line 6 is not JSON"),
        (b'{"event": "cell", "cel', "line 6 is not JSON"),
        (b"[" * 100_000, "line 6 is not JSON"),
        (b"[1]", "line 6 is no event"),
        (b'"event"', "line 6 is no event"),
        (b'{"cell": {}}', "line 6 is no event"),
        (b'{"event": "coffee"}', "event 'coffee' is unknown or out of place"),
        (b'{"event": "cell"}', "event 'cell' is unknown or out of place"),
        (b'{"event": "run", "run": 1}', "event 'run' is unknown or out of place"),
        (b'{"event": "cell", "cell": {}}', "Cell: id: Field required"),
        (b'{"event": "cell", "cell": 1}', "Cell: : Input should be a valid dictionary or instance of Cell"),
        (b'{"event": "end", "finished": 1, "complete": true}', "Run: finished: Input should be a valid string"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_a_line_that_is_no_record_is_named(line: bytes, message: str, tmp_path: Path) -> None:
    path = log(tmp_path, *START)
    path.write_bytes(path.read_bytes() + line + b"\n")

    assert refusal(tmp_path) == message


def test_an_end_before_the_run_is_out_of_place(tmp_path: Path) -> None:
    log(tmp_path, END)

    assert refusal(tmp_path) == "event 'end' is unknown or out of place"


def test_a_directory_without_a_log_is_no_run(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "cannot read: No such file or directory; expected the directory of a run"


def test_every_event_is_on_disk_when_write_returns(tmp_path: Path) -> None:
    log = EventLog(tmp_path)

    log.write("cell", cell=1)

    assert list(read_events(tmp_path)) == [{"event": "cell", "cell": 1}]


def test_a_new_log_replaces_the_old_one(tmp_path: Path) -> None:
    log(tmp_path, *START)

    log(tmp_path, ("run", {"run": 1}))

    assert list(read_events(tmp_path)) == [{"event": "run", "run": 1}]


def test_a_directory_that_cannot_be_made_is_the_environments_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EnvironmentBroke) as error:
        EventLog(tmp_path / "file" / "results")

    assert str(error.value) == f"{tmp_path}/file/results/events.jsonl: cannot write: Not a directory"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this host has no /dev/full to write to")
def test_a_full_disk_is_the_environments_fault(tmp_path: Path) -> None:
    (tmp_path / store.EVENTS).symlink_to("/dev/full")
    log = EventLog(tmp_path)

    with pytest.raises(EnvironmentBroke) as error:
        log.write("cell", cell=1)

    assert str(error.value) == f"{tmp_path}/events.jsonl: cannot write: No space left on device"


def test_what_was_written_before_the_disk_was_full_is_whole(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: it too lets a part of a record through."""
    program = dedent("""
        import resource, sys
        from pathlib import Path
        from multifd.errors import EnvironmentBroke
        from multifd.result.store import EventLog

        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        log = EventLog(Path(sys.argv[1]))
        try:
            for number in range(100):
                log.write("cell", cell=number, padding="x" * 60)
        except EnvironmentBroke as problem:
            print(problem)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        log.write("end")
    """)

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == f"{tmp_path}/events.jsonl: cannot write: File too large\n"
    *cells, end = read_events(tmp_path)
    assert [event["cell"] for event in cells] == list(range(len(cells)))
    assert len(cells) > 5
    assert end == {"event": "end"}


def test_results_are_saved_as_the_published_schema_says(tmp_path: Path) -> None:
    path = save(results(*FINISHED), tmp_path)

    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema.schema())


def test_results_are_read_as_they_were_saved(tmp_path: Path) -> None:
    saved = results(*FINISHED)
    save(saved, tmp_path)

    assert load(tmp_path) == saved


def test_without_results_the_log_is_read(tmp_path: Path) -> None:
    log(tmp_path, *START, *CELLS, END)

    assert load(tmp_path).cells == FINISHED


def test_results_that_cannot_be_written_leave_the_old_ones(tmp_path: Path) -> None:
    saved = results(*FINISHED)
    path = save(saved, tmp_path)
    path.with_suffix(".partial").symlink_to("/dev/full")

    with pytest.raises(EnvironmentBroke) as error:
        save(results(), tmp_path)

    assert str(error.value) == f"{path}: cannot write: No space left on device"
    assert load(tmp_path) == saved
    assert not path.with_suffix(".partial").is_symlink()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "run: Field required"),
        ("", "(whole): Invalid JSON: EOF while parsing a value at line 1 column 0"),
        ('{"schema": "other/1"}', "schema: Input should be 'multifd-conformance/results/1'"),
    ],
)
def test_a_results_file_that_is_none_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / store.RESULTS
    path.write_text(text)

    with pytest.raises(InputError) as error:
        load(tmp_path)

    assert str(error.value) == f"{path}: {message}"


def test_a_results_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / store.RESULTS).write_bytes(b"\xff")

    with pytest.raises(InputError, match="cannot read: 'utf-8' codec can't decode byte 0xff"):
        load(tmp_path)
