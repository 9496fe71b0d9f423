"""Paths where nothing can be written: the user's to mend, so exit 2, before anything is done."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.cli.command import Answer, multifd
from tests.cli.test_cli_runs import saved
from tests.reports.builder import cell

DIRECTORIES: Final = {
    "report": ("report", "{run}", "--output", "{place}"),
    "merge": ("merge", "{place}", "{run}"),
    "record": ("record", "--qemu", "/nowhere/qemu", "{place}"),
}
FILES: Final = {
    "history": ("history", "add", "{run}", "--history", "{place}"),
    "cost": ("history", "cost", "--svg", "{place}", "--history", "{history}"),
    "bundle": ("bundle", "wire/a", "--results", "{run}", "--output", "{place}"),
    "profile": ("profile", "--output", "{place}"),
    "doctor": ("doctor", "--record", "{place}"),
}


def said(tmp_path: Path, command: tuple[str, ...], place: Path) -> Answer:
    run = saved(tmp_path / "run", cell(id="wire/a"))
    history = tmp_path / "history.sqlite"
    multifd("history", "add", run, "--history", history)
    return multifd(*(part.format(run=run, place=place, history=history) for part in command))


@pytest.mark.parametrize("command", DIRECTORIES.values(), ids=DIRECTORIES)
def test_below_a_file_no_directory_can_be(command: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    answer = said(tmp_path, command, file / "below")

    told = f"'{file}/below': {file} is no directory, expected one, or a path where there is none yet\n"
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(told)


@pytest.mark.parametrize("command", FILES.values(), ids=FILES)
def test_a_file_needs_a_directory_that_is_there(command: tuple[str, ...], tmp_path: Path) -> None:
    answer = said(tmp_path, command, tmp_path / "nowhere" / "file")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(f"'{tmp_path}/nowhere/file': there is no directory {tmp_path}/nowhere, expected one\n")
