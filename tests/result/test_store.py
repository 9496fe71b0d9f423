"""The event log and the results file: what was finished is kept, whatever happens to the run."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Final

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import EnvironmentBroke, InputError
from multifd.result import schema, store
from multifd.result.answers import answered
from multifd.result.claims import Seen
from multifd.result.intake import EXPECTED
from multifd.result.known import KnownIssue, shipped
from multifd.result.record import Cell, Results, Unable
from multifd.result.store import End, EventLog, build, load, read_events, save
from tests.reports.builder import cell, peer, results

PLANNED: Final = tuple(cell(id=f"wire/{n}", verdict="not-run", observed="not-run", reason="not run") for n in range(3))
FINISHED: Final = tuple(cell(id=f"wire/{n}") for n in range(3))
RUN: Final = results(*PLANNED, complete=False).run


ZLIB: Final = peer("zlib", "software")
UNABLE: Final = Unable(framing="zstd", peer="zlib", role="sender", reason="it knows DEFLATE only", tried=True)
END: Final = End("2025-11-22T20:01:23Z", interrupted=False)


def log(
    directory: Path,
    *cells: Cell,
    plan: Iterable[Cell] = PLANNED,
    lost: Iterable[str | None] = (),
    end: End | None = END,
) -> Path:
    """The log of a run with these records."""
    plan = tuple(plan)
    with closing(EventLog(directory)) as events:
        events.write_run(results(*plan, complete=False).run)
        events.write_peer(ZLIB)
        events.write_unable(UNABLE)
        for one in plan:
            events.write_plan(one)
        events.planned()
        for one in cells:
            events.write_cell(one)
        for name in lost:
            events.write_lost("gw1", name)
        if end is not None:
            events.write_end(end)
    return directory / store.EVENTS


def refusal(directory: Path) -> str:
    """Why the log is refused, without its path."""
    with pytest.raises(InputError) as error:
        build(directory, [])
    return str(error.value).removeprefix(f"{directory / store.EVENTS}: ")


def test_a_run_that_ended_is_complete(tmp_path: Path) -> None:
    log(tmp_path, *FINISHED)

    built = build(tmp_path, [])

    assert built == Results(
        run=RUN.model_copy(update={"finished": "2025-11-22T20:01:23Z", "complete": True}),
        peers=(ZLIB,),
        unable=(UNABLE,),
        findings=(),
        cells=FINISHED,
        answers=answered(Seen(FINISHED, (ZLIB,), (UNABLE,))),
    )


def test_a_run_without_an_end_keeps_what_was_finished(tmp_path: Path) -> None:
    log(tmp_path, FINISHED[1], end=None)

    built = build(tmp_path, [])

    assert (built.run.complete, built.run.finished) == (False, None)
    assert built.cells == (PLANNED[0], FINISHED[1], PLANNED[2])


def test_a_run_that_was_interrupted_is_not_complete_though_all_cells_ran(tmp_path: Path) -> None:
    log(tmp_path, *FINISHED, end=END._replace(interrupted=True))

    built = build(tmp_path, [])

    assert (built.run.complete, built.run.finished) == (False, END.finished)


def test_a_run_that_ended_without_a_planned_cell_is_not_complete(tmp_path: Path) -> None:
    log(tmp_path, *FINISHED[:2])

    assert not build(tmp_path, []).run.complete


def test_an_end_that_is_yet_to_be_written_counts(tmp_path: Path) -> None:
    log(tmp_path, *FINISHED, end=None)

    run = build(tmp_path, [], END).run

    assert (run.complete, run.finished) == (True, END.finished)


def test_a_worse_record_is_not_replaced_by_a_better_one(tmp_path: Path) -> None:
    crashed = FINISHED[0].model_copy(update={"verdict": "fail", "kind": "crash", "reason": "killed by signal 9"})
    log(tmp_path, crashed, *FINISHED)

    assert build(tmp_path, []).cells == (crashed, *FINISHED[1:])


def test_of_equally_bad_records_the_last_counts(tmp_path: Path) -> None:
    again = FINISHED[0].model_copy(update={"reason": "once more"})
    log(tmp_path, *FINISHED, again)

    assert build(tmp_path, []).cells[0] == again


def test_a_plan_is_no_record(tmp_path: Path) -> None:
    known_before = cell(id="wire/0", verdict="skip", observed="skipped", reason="no library")
    log(tmp_path, FINISHED[0], plan=[known_before])

    assert build(tmp_path, []).cells == FINISHED[:1]


def test_a_cell_that_is_known_to_be_skipped_needs_no_record(tmp_path: Path) -> None:
    known_before = cell(id="wire/9", verdict="skip", observed="skipped", reason="no library")
    log(tmp_path, *FINISHED, plan=[*PLANNED, known_before])

    built = build(tmp_path, [])

    assert (built.run.complete, built.cells[-1]) == (True, known_before)


@pytest.mark.parametrize("names", [(), ("wire/0",), (None, "wire/1", "wire/1")])
def test_workers_that_died_are_counted(names: tuple[str | None, ...], tmp_path: Path) -> None:
    log(tmp_path, *FINISHED, lost=names)

    assert build(tmp_path, []).run.workers_lost == len(names)


def test_a_worker_that_died_is_in_the_log_with_its_cell(tmp_path: Path) -> None:
    log(tmp_path, lost=["wire/1", None])

    assert [event for event in read_events(tmp_path) if event["event"] == "lost"] == [
        {"event": "lost", "worker": "gw1", "cell": "wire/1"},
        {"event": "lost", "worker": "gw1", "cell": None},
    ]


def test_findings_are_those_of_the_given_issues(tmp_path: Path) -> None:
    shown = cell(id="wire/0", verdict="hazard", predicted="hazard", observed="hazard", issues=("old",))
    issue = KnownIssue(
        id="old", component="QEMU", versions="QEMU ==7.2.*", severity="corruption", cause="it is not looked at",
        remedy="look", upstream=None, fixed_in=None, reproducer=None, verdict="hazard", message="old content",
    )  # fmt: skip
    log(tmp_path, shown, plan=PLANNED[:1])

    (finding,) = build(tmp_path, [issue]).findings

    assert (finding.id, finding.cells) == ("old", ("wire/0",))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The log of a whole run."""
    return log(tmp_path_factory.mktemp("whole"), *FINISHED).read_bytes()


@given(data=st.data())
def test_a_log_that_was_cut_anywhere_keeps_every_finished_record(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    planned = whole.index(b'{"event":"cell"')
    cut = data.draw(st.integers(planned, len(whole) - 1))
    directory = tmp_path_factory.getbasetemp() / "cut"
    directory.mkdir(exist_ok=True)
    (directory / store.EVENTS).write_bytes(whole[:cut])

    built = build(directory, [])

    lines = whole[:cut].split(b"\n")[:-1]
    assert not built.run.complete
    assert sum(one.verdict == "pass" for one in built.cells) == sum(b'"event":"cell"' in line for line in lines)


@given(data=st.data())
def test_a_log_that_was_cut_within_its_plan_is_refused(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It took its place when the plan was whole: a part of what it held is lost."""
    directory = tmp_path_factory.getbasetemp() / "cut"
    directory.mkdir(exist_ok=True)
    cut = data.draw(st.integers(whole.index(b"\n") + 1, whole.index(b'{"event":"cell"') - 1))
    (directory / store.EVENTS).write_bytes(whole[:cut])

    assert re.fullmatch("plan: by suite (no cells|wire [12]), expected wire 3 as run.coverage says", refusal(directory))


def test_a_record_that_nobody_planned_is_refused(tmp_path: Path) -> None:
    log(tmp_path, *FINISHED, cell(id="wire/9"))

    assert refusal(tmp_path) == "cell: record of 'wire/9', expected one of the 3 planned cells"


@pytest.mark.parametrize("kept", [0, 1, 50])
def test_a_log_that_was_cut_before_its_first_record_ended_holds_no_run(kept: int, whole: bytes, tmp_path: Path) -> None:
    (tmp_path / store.EVENTS).write_bytes(whole[:kept])

    assert refusal(tmp_path) == "holds no run"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"garbage", "line 7 is not JSON"),
        (b"", "line 7 is not JSON"),
        (b"\xff\xfe", "line 7 is not JSON"),
        (b'{"event": "cell", "cel', "line 7 is not JSON"),
        (b"[" * 100_000, "line 7 is not JSON"),
        (b'{"event": "end", "finished": NaN}', "line 7 is not JSON"),
        (rb'{"event": "\ud800"}', "line 7 is not JSON"),
        (b"[1]", "line 7 is no event"),
        (b'"event"', "line 7 is no event"),
        (b'{"cell": {}}', "line 7 is no event"),
        (b'{"event": "coffee"}', "event 'coffee' is unknown or out of place"),
        (b'{"event": "cell"}', "event 'cell' is unknown or out of place"),
        (b'{"event": "lost"}', "event 'lost' is unknown or out of place"),
        (b'{"event": "end", "finished": 1, "interrupted": true}', "event 'end' is unknown or out of place"),
        (b'{"event": "end", "finished": "now"}', "event 'end' is unknown or out of place"),
        (b'{"event": "cell", "cell": {}}', "Cell: id: Field required"),
        (b'{"event": "cell", "cell": 1}', "Cell: (whole): 1, expected a valid dictionary or instance of Cell"),
        (b'{"event": "run", "run": {}}', "Run: id: Field required"),
        (b'{"event": "unable", "unable": {"framing": "zlib"}}', "Unable: peer: Field required"),
        (b'{"event": "cell", "cell": {"provenance": {"sender": "x"}}}', "Cell: id: Field required"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_a_line_that_is_no_record_is_named(line: bytes, message: str, tmp_path: Path) -> None:
    path = log(tmp_path, end=None)
    path.write_bytes(path.read_bytes() + line + b"\n")

    assert refusal(tmp_path) == message


def test_the_field_of_a_record_that_is_wrong_is_named_by_its_path(tmp_path: Path) -> None:
    wrong = FINISHED[0].model_dump(mode="json") | {"seconds": {"wall": "long"}}
    path = log(tmp_path, end=None)
    path.write_bytes(path.read_bytes() + json.dumps({"event": "cell", "cell": wrong}).encode() + b"\n")

    assert refusal(tmp_path).startswith("Cell: seconds.wall: 'long', expected a valid number")


def test_a_directory_without_a_log_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        load(tmp_path)

    assert str(refused.value) == f"{tmp_path}: holds no run, neither events.jsonl nor results.json; {EXPECTED}"


def test_a_file_is_no_directory_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        InputError, match=r"/file: is a file; expected the directory that a run was given as --results$"
    ):
        load(tmp_path / "file")


def test_an_event_log_stands_for_its_directory(tmp_path: Path) -> None:
    path = log(tmp_path)

    assert store.load_from(path) == store.load_from(tmp_path)


def test_every_event_is_on_disk_when_the_method_returns(tmp_path: Path) -> None:
    with closing(EventLog(tmp_path)) as events:
        events.write_run(results(PLANNED[0]).run)
        events.write_plan(PLANNED[0])
        events.planned()
        events.write_cell(FINISHED[0])

        assert [event["event"] for event in read_events(tmp_path)] == ["run", "plan", "cell"]
        assert build(tmp_path, []).cells == FINISHED[:1]


# The run before, and a run beside this one


def made_of(directory: Path) -> list[str]:
    """What is made of a log, where it is."""
    return sorted(name for name in (store.RESULTS, *store.REPORTS) if (directory / name).exists())


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The directory of a run that is over."""
    log(tmp_path, *FINISHED)
    save(build(tmp_path, []), tmp_path)
    for name in store.REPORTS:
        (tmp_path / name).write_text("of the run before")
    return tmp_path


def test_the_run_before_stays_until_the_plan_is_whole(earlier: Path) -> None:
    before = load(earlier)

    with closing(EventLog(earlier)) as events:
        events.write_run(results(PLANNED[0]).run.model_copy(update={"id": "new"}))
        events.write_plan(PLANNED[0])

        assert (load(earlier), build(earlier, [])) == (before, before)
        assert len(made_of(earlier)) == 5


def test_the_run_before_is_gone_when_the_plan_is_whole(earlier: Path) -> None:
    with closing(EventLog(earlier)) as events:
        events.write_run(results(PLANNED[0]).run.model_copy(update={"id": "new"}))
        events.write_plan(PLANNED[0])
        events.planned()

        assert made_of(earlier) == []
        assert (load(earlier).run.id, load(earlier).cells) == ("new", PLANNED[:1])


def test_a_run_that_never_had_its_plan_leaves_nothing(earlier: Path) -> None:
    before = sorted(path.name for path in earlier.iterdir())

    with closing(EventLog(earlier)) as events:
        events.write_run(RUN)

    assert sorted(path.name for path in earlier.iterdir()) == before
    assert load(earlier).cells == FINISHED


def test_what_a_killed_run_left_beside_the_log_is_not_mixed_in(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl.new").write_text("garbage\n")

    log(tmp_path, *FINISHED)

    assert build(tmp_path, []).cells == FINISHED


def test_the_second_run_in_a_directory_is_refused_and_disturbs_nothing(tmp_path: Path) -> None:
    with closing(EventLog(tmp_path)) as events:
        events.write_run(RUN)

        with pytest.raises(InputError, match=r"a run is going on there \(process \d+\).*--results OTHER"):
            EventLog(tmp_path)
        for one in PLANNED:
            events.write_plan(one)
        events.planned()

    assert build(tmp_path, []).run == RUN


def test_a_directory_is_free_when_its_log_is_closed(tmp_path: Path) -> None:
    EventLog(tmp_path).close()

    EventLog(tmp_path).close()


def test_a_directory_whose_log_cannot_be_opened_is_free_too(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl.new").mkdir()

    for _ in range(2):
        with pytest.raises(EnvironmentBroke, match="Is a directory"):
            EventLog(tmp_path)


def test_a_log_that_cannot_take_its_place_is_the_environments_fault(tmp_path: Path) -> None:
    with closing(EventLog(tmp_path)) as events:
        (tmp_path / store.EVENTS).mkdir()

        with pytest.raises(EnvironmentBroke, match=r"events\.jsonl: cannot write: Is a directory"):
            events.planned()


# The end


def rendered(results: Results, directory: Path) -> None:
    """A report."""
    (directory / "report.html").write_text(results.run.id)


def begun(directory: Path, *cells: Cell) -> EventLog:
    """A run that has these records, and no end."""
    events = EventLog(directory)
    events.write_run(RUN)
    for one in PLANNED:
        events.write_plan(one)
    events.planned()
    for one in cells:
        events.write_cell(one)
    return events


@pytest.mark.parametrize("interrupted", [False, True])
def test_results_reports_and_log_of_a_finished_run_agree(interrupted: bool, tmp_path: Path) -> None:
    with closing(begun(tmp_path, *FINISHED)) as events:
        finished = events.finish(END._replace(interrupted=interrupted), rendered)

    assert finished.run.complete is not interrupted
    assert finished == load(tmp_path) == build(tmp_path, shipped())
    assert (tmp_path / "report.html").read_text() == RUN.id


def failing(results: Results, directory: Path) -> None:
    """A report for which there is no room."""
    rendered(results, directory)
    raise OSError(28, "No space left on device")


def test_a_run_whose_reports_cannot_be_written_has_no_end(tmp_path: Path) -> None:
    with closing(begun(tmp_path, *FINISHED)) as events, pytest.raises(EnvironmentBroke) as error:
        events.finish(END, failing)

    assert str(error.value) == f"{tmp_path}: cannot write reports: No space left on device"
    assert made_of(tmp_path) == []
    assert not build(tmp_path, []).run.complete


def test_a_run_whose_results_cannot_be_written_has_no_end(tmp_path: Path) -> None:
    message = r"results\.json: cannot write: File too large"
    with closing(begun(tmp_path, *FINISHED)) as events, full_disk(), pytest.raises(EnvironmentBroke, match=message):
        events.finish(END, rendered)

    assert made_of(tmp_path) == []
    assert not build(tmp_path, []).run.complete


def test_a_directory_in_the_place_of_results_is_the_environments_fault(tmp_path: Path) -> None:
    with closing(begun(tmp_path, *FINISHED)) as events:
        for name in ("results.json", ".results.json.new"):
            (tmp_path / name).mkdir()
        with pytest.raises(EnvironmentBroke, match=r"results\.json: cannot write: Is a directory"):
            events.finish(END, rendered)


@contextmanager
def full_disk() -> Iterator[None]:
    """A limit on the size of files stands for it."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_run_whose_end_cannot_be_written_has_no_results(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def last_that_fits(results: Results, directory: Path) -> None:
        rendered(results, directory)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))

    try:
        message = r"events\.jsonl: cannot write: File too large"
        with closing(begun(tmp_path, *FINISHED)) as events, pytest.raises(EnvironmentBroke, match=message):
            events.finish(END, last_that_fits)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert made_of(tmp_path) == []
    assert not build(tmp_path, []).run.complete


# A disk that is full


def test_a_directory_is_made_with_those_above_it(tmp_path: Path) -> None:
    log(tmp_path / "a" / "new" / "one", *FINISHED)

    assert build(tmp_path / "a" / "new" / "one", []).cells == FINISHED


def test_a_directory_that_cannot_be_made_is_the_wrong_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InputError) as error:
        EventLog(tmp_path / "file" / "results")

    assert str(error.value) == (
        f"{tmp_path}/file/results/events.jsonl: cannot write: Not a directory; expected a directory, or where one"
        " can be made"
    )


def test_a_full_disk_is_the_environments_fault(tmp_path: Path) -> None:
    with closing(EventLog(tmp_path)) as events, full_disk(), pytest.raises(EnvironmentBroke) as error:
        events.write_cell(FINISHED[0])

    assert str(error.value) == f"{tmp_path}/events.jsonl: cannot write: File too large"


def test_what_was_written_before_the_disk_was_full_is_whole(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: it too lets a part of a record through."""
    program = dedent("""
        import resource, sys
        from pathlib import Path
        from multifd.errors import EnvironmentBroke
        from multifd.result.store import EventLog

        log = EventLog(Path(sys.argv[1]))
        log.planned()
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        try:
            for number in range(100):
                log.write_lost("worker " + "x" * 60, str(number))
        except EnvironmentBroke as problem:
            print(problem)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        log.write_lost("the last", None)
    """)

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == f"{tmp_path}/events.jsonl: cannot write: File too large\n"
    *lost, last = read_events(tmp_path)
    assert [event["cell"] for event in lost] == [str(number) for number in range(len(lost))]
    assert len(lost) > 5
    assert last["worker"] == "the last"


def test_results_are_saved_as_the_published_schema_says(tmp_path: Path) -> None:
    path = save(results(*FINISHED), tmp_path)

    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema.schema())


def test_results_are_read_as_they_were_saved(tmp_path: Path) -> None:
    saved = results(*FINISHED)
    save(saved, tmp_path)

    assert load(tmp_path) == saved


def test_without_results_the_log_is_read(tmp_path: Path) -> None:
    log(tmp_path, *FINISHED)

    assert load(tmp_path).cells == FINISHED


def test_results_for_which_there_is_no_directory_are_the_environments_fault(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBroke, match=r"results\.json: cannot write: No such file or directory"):
        save(results(), tmp_path / "gone")


def test_results_that_cannot_be_written_leave_the_old_ones(tmp_path: Path) -> None:
    saved = results(*FINISHED)
    path = save(saved, tmp_path)

    with full_disk(), pytest.raises(EnvironmentBroke) as error:
        save(results(), tmp_path)

    assert str(error.value) == f"{path}: cannot write: File too large"
    assert load(tmp_path) == saved
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": "multifd-conformance/results/2"}', "run: Field required"),
        (
            '{"schema": "other/1"}',
            "schema: 'other/1', expected 'multifd-conformance/results/2' or 'multifd-conformance/results/1'; a newer"
            " multifd reads more",
        ),
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


@pytest.mark.parametrize("name", [store.RESULTS, store.EVENTS])
@pytest.mark.parametrize("both", [False, True])
def test_a_pipe_in_the_place_of_results_is_refused_at_once(name: str, both: bool, tmp_path: Path) -> None:
    for each in (store.RESULTS, store.EVENTS) if both else (name,):
        os.mkfifo(tmp_path / each)

    with pytest.raises(InputError, match="is no regular file"):
        load(tmp_path)


def test_results_that_their_cells_contradict_are_refused(tmp_path: Path) -> None:
    store.save(results(cell(id="wire/a", device_verdict="proven")), tmp_path)

    with pytest.raises(InputError, match=rf"^{tmp_path}/results\.json: wire/a: device_verdict: 'proven', expected"):
        load(tmp_path)


def test_a_log_whose_cells_contradict_themselves_is_refused(tmp_path: Path) -> None:
    log(tmp_path, FINISHED[0].model_copy(update={"device_verdict": "proven"}))

    assert refusal(tmp_path).startswith("wire/0: device_verdict: 'proven', expected 'not claimed'")


@pytest.mark.parametrize("when", ["yesterday", "2025-11-22T20:01:23", "0001-01-01T00:00:00+23:59", ""])
def test_a_time_that_is_none_is_refused_with_its_file(when: str, tmp_path: Path) -> None:
    log(tmp_path, *FINISHED, end=END._replace(finished=when))

    assert refusal(tmp_path).startswith(f"End: finished: {when!r}, expected a time as ISO 8601 has it")
