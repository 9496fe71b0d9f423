"""A run that goes on where another ended, and shards of a run, as processes; and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from multifd.campaign.resumed import resumed, standing
from multifd.errors import InputError
from multifd.result import store
from multifd.result.record import Results
from tests.campaign.runs import Conformance, Ended, end
from tests.reports.builder import cell, results

BEFORE: Final = results(
    cell(id="wire/0"), cell(id="wire/1", verdict="error"), cell(id="wire/2", verdict="not-run"), complete=False
)


def killed(directory: Path, records: int) -> None:
    """Leave what a run leaves that is killed after so many records, in the middle of a line."""
    log = directory / store.EVENTS
    lines = log.read_bytes().splitlines(keepends=True)
    places = [place for place, line in enumerate(lines) if line.startswith(b'{"event":"cell"')]
    log.write_bytes(b"".join(lines[: places[records]]) + b'{"event":"cell","ce')
    (directory / store.RESULTS).unlink()


def run(conformance: Conformance, *arguments: str) -> Ended:
    """Of a few cells."""
    return end(conformance.start("suites/wire", "-k", "raw and capture", "--no-allure", *arguments))


def verdicts(results: Results) -> dict[str, str]:
    return {each.id: each.verdict for each in results.cells}


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conformance]:
    """One of two, which has ended; every test kills it anew, and resumes it to the same end."""
    with TemporaryDirectory(prefix="multifd-test-") as scratch:
        conformance = Conformance(tmp_path_factory.mktemp("shard"), Path(scratch))
        conformance.choose("zlib", "none")
        run(conformance, "-n0", "--shard", "1/2")
        yield conformance


@pytest.mark.parametrize("how", [("-n0",), ("-n2", "--dist", "loadgroup")], ids=["alone", "workers"])
def test_a_shard_that_was_killed_and_resumed_has_the_same_verdicts(shard: Conformance, how: tuple[str, ...]) -> None:
    before = store.load(shard.results)
    killed(shard.results, 1)

    again = run(shard, *how, "--shard", "1/2", "--resume", str(shard.results))

    after = store.load(shard.results)
    assert again.code == 0, again.output
    assert f"{len(before.cells) - 1} passed" in again.output
    assert verdicts(after) == verdicts(before)
    assert (after.run.id, after.run.shard, after.run.complete) == (before.run.id, before.run.shard, True)
    assert shard.left() == []


def test_another_plan_is_named_and_leaves_the_results_alone(conformance: Conformance) -> None:
    conformance.choose("zlib")
    conformance.results.mkdir()
    store.save(BEFORE, conformance.results)

    again = run(conformance, "-n0", "--resume", str(conformance.results))

    assert again.code == 2
    assert "run.plan was" in again.output
    assert store.load(conformance.results) == BEFORE


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
