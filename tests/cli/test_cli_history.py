"""``multifd history``: runs are added and asked about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.result import store
from multifd.result.record import Cell, CpuSeconds
from tests.cli.command import Answer, multifd
from tests.reports.builder import cell, results

ZLIB: Final = "wire/zlib/zlib~isal"
ZSTD: Final = "wire/zstd/zstd~zstd"
RUNS: Final = {"first": "pass", "second": "pass", "third": "fail"}
"""Verdicts of one of both cells, by run."""


def saved(directory: Path, day: int, *cells: Cell, **fields: Any) -> Path:
    """A run of that day."""
    made = results(*cells)
    changed = {"id": directory.name, "started": f"2025-11-{day:02}T20:00:00Z", **fields}
    directory.mkdir()
    store.save(made.model_copy(update={"run": made.run.model_copy(update=changed)}), directory)
    return directory


def both(verdict: str, **fields: Any) -> tuple[Cell, Cell]:
    return (
        cell(id=ZLIB, verdict=verdict, reason=f"because of {verdict}", **fields),
        cell(id=ZSTD, framing="zstd", sender="zstd", receiver="zstd"),
    )


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Three runs: the third is worse, with another zlib."""
    made = [saved(tmp_path / name, day, *both(verdict)) for day, (name, verdict) in enumerate(RUNS.items(), 1)]
    assert multifd("history", "add", *made).code == 0
    return tmp_path / "history.sqlite"


def ask(database: Path, *arguments: str | Path) -> Answer:
    return multifd("history", *arguments, "--history", database)


def objects(answer: Answer) -> list[Any]:
    return [json.loads(line) for line in answer.out.splitlines()]


def test_runs_are_added_beside_their_directories(tmp_path: Path) -> None:
    answer = multifd("history", "add", saved(tmp_path / "one", 1, cell()))

    assert answer == Answer(0, f"{tmp_path}/one: run one: added, 1 cell\n", "")
    assert (tmp_path / "history.sqlite").is_file()


def test_a_results_file_is_added_beside_its_directory_too(tmp_path: Path) -> None:
    multifd("history", "add", saved(tmp_path / "one", 1, cell()) / "results.json")

    assert (tmp_path / "history.sqlite").is_file()


def test_a_run_that_is_added_twice_is_there_once(database: Path, tmp_path: Path) -> None:
    answer = multifd("history", "add", tmp_path / "first")

    assert answer.out == f"{tmp_path}/first: run first: already there, 2 cells\n"
    assert len(objects(ask(database, "runs", "--json"))) == 3


def test_of_several_runs_one_that_cannot_be_read_leaves_all_out(tmp_path: Path) -> None:
    answer = multifd("history", "add", saved(tmp_path / "one", 1, cell()), tmp_path / "nowhere")

    assert (answer.code, answer.out) == (2, "")
    assert not (tmp_path / "history.sqlite").exists()


def test_a_time_that_is_none_is_an_error_of_one_line(tmp_path: Path) -> None:
    run = saved(tmp_path / "one", 1, cell(), started="then")

    answers = [multifd(*command, run) for command in (("history", "add"), ("report",))]

    said = "expected a time as ISO 8601 has it, with its offset from UTC, such as 2025-11-22T20:00:00+00:00"
    assert answers == [Answer(2, "", f"multifd: {run}/results.json: run.started: 'then', {said}\n")] * 2


def test_runs_are_listed_the_oldest_first(database: Path) -> None:
    lines = ask(database, "runs").out.splitlines()

    assert lines[0] == "2025-11-01 20:00:00  first  exit code 0  2 cells  software-only"
    assert lines[2] == "2025-11-03 20:00:00  third  exit code 1  2 cells  software-only"


def test_a_cell_has_a_past(database: Path) -> None:
    answer = ask(database, "cell", ZLIB)

    assert answer.out.splitlines()[0] == ZLIB
    assert [line.split()[2:4] for line in answer.out.splitlines() if line.startswith("  2025")] == [
        [name, verdict] for name, verdict in RUNS.items()
    ]
    assert answer.out.count("because of pass") == answer.out.count("because of fail") == 1


def test_cells_are_named_in_part_or_by_a_pattern(database: Path) -> None:
    for given in ("zlib/", "wire/zlib/*", "*~isa?"):
        assert [each["cell"] for each in objects(ask(database, "cell", given, "--json"))] == [ZLIB]


def test_a_cell_that_nobody_had_is_refused_with_the_nearest(database: Path) -> None:
    answer = ask(database, "cell", "wire/zlib/zlib~isla")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"multifd: no cell in this history 'wire/zlib/zlib~isla'; the nearest are {ZLIB}")


def test_flaky_cells_are_listed(database: Path) -> None:
    answer = ask(database, "flaky")

    assert answer == Answer(0, f"1 of 2  {ZLIB}: 2 pass, 1 fail (invariant)\n1 flaky cell\n", "")


def test_the_first_bad_run_is_told_with_what_changed(database: Path, tmp_path: Path) -> None:
    versions = {**results().run.versions, "zlib": "1.3.1"}
    multifd("history", "add", saved(tmp_path / "fourth", 4, *both("fail", kind="corrupt"), versions=versions))

    answer = ask(database, "first-bad")

    assert answer.out == (
        f"fail (invariant) -> fail (corrupt)  {ZLIB} (flaky)\n"
        "    last good  2025-11-03 20:00:00  third\n"
        "    first bad  2025-11-04 20:00:00  fourth\n"
        "    changed    zlib 1.2.13 -> 1.3.1\n"
        "    because of fail\n"
        "1 cell is worse than it was\n"
    )


def test_cells_that_are_as_they_were_are_not_worse(database: Path) -> None:
    assert ask(database, "first-bad", "zstd").out == "0 cells are worse than they were\n"


def test_json_has_the_same(database: Path) -> None:
    (flaky,), (bad,) = objects(ask(database, "flaky", "--json")), objects(ask(database, "first-bad", "--json"))

    assert (flaky["cell"], flaky["turns"], bad["good"], bad["bad"]) == (ZLIB, 1, "second", "third")


def test_long_lists_are_cut_and_say_so(tmp_path: Path) -> None:
    for day, verdict in ((1, "pass"), (2, "fail")):
        cells = [cell(id=f"wire/{number}", verdict=verdict) for number in range(25)]
        multifd("history", "add", saved(tmp_path / verdict, day, *cells))

    cut, whole = (ask(tmp_path / "history.sqlite", "flaky", *more).out for more in ((), ("--all",)))

    assert (cut.count("\n"), whole.count("\n")) == (21, 26)
    assert cut.endswith("25 flaky cells; the first 20 are shown (--all)\n")
    assert whole.endswith("25 flaky cells\n")


def test_coverage_is_shown_over_time(database: Path) -> None:
    head, *lines = ask(database, "coverage").out.splitlines()

    assert head.split() == ["wire", "pairs", "triples"]
    assert [line.split()[2:] for line in lines] == [[name, "2", "-", "-"] for name in RUNS]


def costly(tmp_path: Path, *costs: float) -> Path:
    for day, cost in enumerate(costs, 1):
        cells = [cell(id=f"wire/{n}", bytes_memory=1 << 30, cpu_seconds=CpuSeconds(sender=cost)) for n in range(3)]
        multifd("history", "add", saved(tmp_path / f"run-{day}", day, *cells))
    return tmp_path / "history.sqlite"


def test_cost_is_shown_over_time(tmp_path: Path) -> None:
    answer = ask(costly(tmp_path, 1, 1, 1, 1, 2), "cost")

    assert answer.out == (
        "software\n"
        "  zlib to encode zlib                                ▅▅▅▅█  1.00 -> 2.00 CPU s for each GiB (x2.00), 3 cells"
        "  beyond the noise (x1.25)\n"
        "1 row in 5 runs\n"
    )


def test_cost_of_one_framing_or_peer_is_shown(tmp_path: Path) -> None:
    database = costly(tmp_path, 1, 2)

    assert [each["peer"] for each in objects(ask(database, "cost", "--framing", "zl*", "--json"))] == ["zlib"]
    assert ask(database, "cost", "--peer", "qpl").err == (
        "multifd: no peer with a cost in two runs 'qpl'; the nearest are zlib\n"
    )


def test_where_nothing_has_a_cost_nothing_is_near(tmp_path: Path) -> None:
    assert ask(costly(tmp_path, 1), "cost", "--framing", "none").err == (
        "multifd: there is no framing with a cost in two runs, and therefore no 'none'\n"
    )


def test_an_empty_path_of_a_history_is_said_to_be_empty() -> None:
    answer = multifd("history", "runs", "--history", "")

    assert answer.err == "multifd: no path of a history, or only '.'; expected a file that multifd history add made\n"


def test_cost_is_drawn(tmp_path: Path) -> None:
    answer = ask(costly(tmp_path, 1, 2), "cost", "--svg", tmp_path / "cost.svg")

    assert answer.code == 0
    assert (tmp_path / "cost.svg").read_text().startswith("<svg")


def test_a_picture_without_a_directory_is_bad_input(tmp_path: Path) -> None:
    answer = ask(costly(tmp_path, 1, 2), "cost", "--svg", tmp_path / "no" / "cost.svg")

    assert (answer.code, answer.err) == (
        2,
        f"multifd: --svg '{tmp_path}/no/cost.svg': there is no directory {tmp_path}/no, expected one\n",
    )


def test_a_picture_of_nothing_is_refused(tmp_path: Path) -> None:
    answer = ask(costly(tmp_path, 1), "cost", "--svg", tmp_path / "cost.svg")

    assert answer.code == 2
    assert "no row has a cost in two runs" in answer.err


@pytest.mark.parametrize("command", ["runs", "flaky", "first-bad", "coverage", "cost"])
def test_an_empty_history_has_nothing_to_say(command: str, tmp_path: Path) -> None:
    multifd("history", "add", saved(tmp_path / "one", 1))

    assert ask(tmp_path / "history.sqlite", command).code == 0


@pytest.mark.parametrize("command", ["runs", "flaky", "first-bad", "coverage", "cost"])
def test_what_is_no_history_is_an_error_of_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("lunch")

    answer = ask(tmp_path / "file", command)

    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert answer.err.startswith(f"multifd: {tmp_path}/file: cannot be read as a history")


HOSTILE = "\x1b]0;owned\x07 \x9b31m\u202e\0"


@pytest.mark.parametrize("command", [("runs",), ("cell", "wire"), ("flaky",), ("first-bad",), ("coverage",)])
@pytest.mark.parametrize("option", [(), ("--json",)])
def test_what_others_say_stays_text(command: tuple[str, ...], option: tuple[str, ...], tmp_path: Path) -> None:
    for day, verdict in ((1, "pass"), (2, "fail")):
        hostile = cell(id=f"wire/{HOSTILE}", suite=HOSTILE, verdict=verdict, reason=HOSTILE)
        multifd("history", "add", saved(tmp_path / verdict, day, hostile, id=f"{HOSTILE}{day}", profile=HOSTILE))

    answer = ask(tmp_path / "history.sqlite", *command, *option)

    assert answer.code == 0
    assert all(character.isprintable() or character == "\n" for character in answer.out)
    assert "owned" in answer.out
