"""A log and the results beside it: the log counts, and where the two are not of one mind that is said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.result import store
from multifd.result.beside import disagreement
from multifd.result.record import Results
from multifd.result.store import End
from tests.reports.builder import cell, results

CELLS: Final = (cell(id="wire/a"), cell(id="wire/b", verdict="fail", kind="corrupt"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """What a run has left."""
    made = results(*CELLS)
    with closing(store.EventLog(tmp_path)) as log:
        log.write_run(results(*CELLS, complete=False).run)
        for peer in made.peers:
            log.write_peer(peer)
        for each in CELLS:
            log.write_plan(each.model_copy(update={"verdict": "not-run", "kind": None}))
        log.planned()
        for each in CELLS:
            log.write_cell(each)
        log.finish(End("2025-11-22T20:01:23Z", interrupted=False), lambda *_: None)
    return tmp_path


def said(directory: Path) -> str | None:
    return disagreement(store.load(directory), directory)


def test_what_a_run_has_left_is_of_one_mind(directory: Path) -> None:
    assert said(directory) is None


def test_what_another_version_would_write_otherwise_is_of_one_mind(directory: Path) -> None:
    path = directory / store.RESULTS
    path.write_text(store.load(directory).model_dump_json(by_alias=True), encoding="utf-8")

    assert said(directory) is None


def test_results_alone_contradict_nobody(directory: Path) -> None:
    logged = store.load(directory)
    (directory / store.EVENTS).unlink()

    assert disagreement(logged, directory) is None


def test_a_log_alone_contradicts_nobody(directory: Path) -> None:
    (directory / store.RESULTS).unlink()

    assert said(directory) is None


def cells(*changes: dict[str, Any]) -> Callable[[Results], dict[str, Any]]:
    return lambda run: {"cells": tuple(one.model_copy(update=new) for one, new in zip(run.cells, changes, strict=True))}


EDITS: Final[dict[str, tuple[Callable[[Results], dict[str, Any]], str]]] = {
    "a verdict": (cells({}, {"verdict": "pass", "kind": None}), "verdict 'pass' in wire/b, and not 'fail'"),
    "a reason": (cells({"reason": "well"}, {}), "reason 'well' in wire/a, and not 'the receiver accepts all"),
    "the run": (
        lambda run: {"run": run.run.model_copy(update={"seed": 2})}, "run.seed 2, and not 1",
    ),
    "the peers": (lambda run: {"peers": run.peers[1:]}, "other peers"),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "message"), EDITS.values(), ids=EDITS)
def test_results_that_were_edited_are_not_read_and_that_is_said(
    edit: Callable[[Results], dict[str, Any]], message: str, directory: Path
) -> None:
    logged = store.load(directory)
    store.save(logged.model_copy(update=edit(logged)), directory)

    assert store.load(directory) == logged
    assert (said(directory) or "").startswith(f"{directory}/events.jsonl is read; results.json beside it has {message}")


def test_a_log_that_was_edited_is_read_and_that_is_said(directory: Path) -> None:
    path = directory / store.EVENTS
    path.write_bytes(path.read_bytes().replace(b'"verdict":"fail","kind":"corrupt"', b'"verdict":"pass","kind":null'))

    assert said(directory) == (f"{path} is read; results.json beside it has verdict 'fail' in wire/b, and not 'pass'")


def test_results_that_nobody_can_read_beside_a_log_are_said(directory: Path) -> None:
    (directory / store.RESULTS).write_text("{}", encoding="utf-8")

    assert (said(directory) or "").startswith(
        f"{directory}/events.jsonl is read, not the results.json beside it: {directory}/results.json: is no results"
    )


def test_who_reads_the_log_by_its_name_is_told_too(directory: Path) -> None:
    (directory / store.RESULTS).write_text("{}", encoding="utf-8")

    assert disagreement(store.load(directory), directory / store.EVENTS) is not None
