"""A run that goes on where another ended, and shards of a run, as processes; and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from multifd.campaign.resumed import resumed, standing
from multifd.comparison.merged import Part, joined
from multifd.errors import InputError
from multifd.result import store
from multifd.result.record import Results
from tests.campaign.runs import Conformance
from tests.reports.builder import cell, results

PART: Final = ("suites/wire", "suites/probe", "--no-allure", "-n0", "-k", "probe or (raw-page/ and capture)")
BEFORE: Final = results(cell(id="wire/0"), cell(id="wire/1", verdict="error"), cell(id="wire/2", verdict="not-run"))


def killed(directory: Path, records: int) -> None:
    """Leave what a run leaves that is killed after so many records, in the middle of a line."""
    log = directory / store.EVENTS
    lines = log.read_bytes().splitlines(keepends=True)
    places = [place for place, line in enumerate(lines) if line.startswith(b'{"event":"cell"')]
    log.write_bytes(b"".join(lines[: places[records]]) + b'{"event":"cell","ce')
    (directory / store.RESULTS).unlink()


def verdicts(run: Results) -> dict[str, str]:
    return {each.id: each.verdict for each in run.cells}


def test_shards_one_of_which_was_killed_and_resumed_are_the_whole_run(conformance: Conformance) -> None:
    conformance.choose("zlib", "none")
    place = conformance.results
    shards = []
    for number in (1, 2):
        ended = conformance.run(*PART, "--shard", f"{number}/2")
        assert ended.code == 0, ended.output
        shards.append(store.load(place))
        if number == 1:
            killed(place, 1)
            again = conformance.run(*PART, "--shard", "1/2", "--resume", str(place))
            assert again.code == 0, again.output
            before, shards[0] = shards[0], store.load(place)
            assert verdicts(shards[0]) == verdicts(before)
            assert shards[0].run.id == before.run.id
            assert f"{len(before.cells) - 1} passed" in again.output

    (whole,) = joined(Part(str(number), run) for number, run in enumerate(shards))
    assert whole.missing == ()
    assert whole.results.run.complete


def test_a_run_of_which_nothing_is_left_ends_as_it_did(conformance: Conformance) -> None:
    conformance.choose("zlib")
    conformance.run("suites/probe", "--no-allure", "-n0")

    again = conformance.run("suites/probe", "--no-allure", "-n0", "--resume", str(conformance.results))

    assert again.code == 0, again.output
    assert store.load(conformance.results).run.complete


def test_other_options_than_before_are_named_and_leave_the_results_alone(conformance: Conformance) -> None:
    conformance.choose("zlib")
    conformance.run("suites/probe", "--no-allure", "-n0")
    before = (conformance.results / store.EVENTS).read_bytes()

    again = conformance.run("suites/probe", "-n0", "--seed", "7", "--resume", str(conformance.results))

    assert again.code == 2
    assert "run.seed was 1, and is 7 now; remedy: a run of its own" in again.output
    assert (conformance.results / store.EVENTS).read_bytes() == before


def test_what_broke_or_was_not_run_is_run_again_and_all_else_stands() -> None:
    assert list(standing(BEFORE)) == ["wire/0"]


def test_it_goes_on_under_its_name() -> None:
    run = resumed(BEFORE, now(), {each.id: each for each in BEFORE.cells}, Path("here"))

    assert (run.id, run.started) == (BEFORE.run.id, BEFORE.run.started)
    assert run.remarks == ("resumed at later: 2 cells were not run or had broken",)


def now(**changes: Any) -> Any:
    return BEFORE.run.model_copy(update={"id": "now", "started": "later", **changes})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"plan": "0"}, "run.plan"),
        ({"seed": 7}, "run.seed"),
        ({"profile": "lab"}, "run.profile"),
        ({"versions": {}}, "run.versions"),
        ({"host": {}}, "run.host"),
    ],
)
def test_other_circumstances_are_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=rf"--resume 'here': {field} was .*; remedy: a run of its own"):
        resumed(BEFORE, now(**changes), {each.id: each for each in BEFORE.cells}, Path("here"))


def test_options_that_change_no_id_are_seen_in_the_commands() -> None:
    cells = {each.id: each.model_copy(update={"reproduce": "run --memory 4M"}) for each in BEFORE.cells}

    with pytest.raises(InputError, match=r"the command of wire/0 was .*, and is 'run --memory 4M' now"):
        resumed(BEFORE, now(), cells, Path("here"))
