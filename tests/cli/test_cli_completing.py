"""Completion: names, and ids of the last run a part at a time."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from multifd.cli.completing import stems
from multifd.cli.main import app
from multifd.result import store
from tests.cli.command import COLOURLESS, PROGRAM, ROOT
from tests.reports.builder import cell, peer, results

IDS = (
    "wire/zlib/zlib~isal/qemu-10.0/capture/mixed/4k/2ch",
    "wire/zlib/zlib~isal/qemu-10.0/capture/text/4k/2ch",
    "wire/zstd/zstd~zstd/qemu-10.0/capture/mixed/4k/2ch",
    "probe/zlib",
)


CAPTURE = "wire/zlib/zlib~isal/qemu-10.0/capture"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["wire/", "probe/"]),
        ("w", ["wire/zlib/", "wire/zstd/"]),
        ("wire/zl", [f"{CAPTURE}/mixed/", f"{CAPTURE}/text/"]),
        ("wire/zs", ["wire/zstd/zstd~zstd/qemu-10.0/capture/mixed/4k/2ch"]),
        ("x", []),
    ],
)
def test_ids_are_offered_up_to_where_they_differ(typed: str, offered: list[str]) -> None:
    assert stems(IDS, typed) == offered


def completed(*words: str) -> list[str]:
    """What is offered for the last word."""
    complete = BashComplete(app, {}, "multifd", "_MULTIFD_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1]) if item.type == "plain"]


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """Where the last run left its log."""
    with closing(store.EventLog(tmp_path / "build/conformance")) as log:
        log.write_run(results(complete=False).run)
        log.write_peer(peer("zlib[level=9]", "software"))
        for name in IDS:
            log.write_plan(cell(id=name, verdict="not-run"))
        log.planned()
    return tmp_path


def test_ids_and_peers_are_those_of_the_last_run(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ran)

    assert completed("explain", "wire/") == completed("run", "--cell", "wire/") == ["wire/zlib/", "wire/zstd/"]
    assert completed("why", "zl") == ["zlib[level=9]"]


def test_ids_are_those_of_the_run_that_is_named(ran: Path) -> None:
    named = str(ran / "build/conformance")

    assert completed("bundle", "--results", named, "p") == ["probe/zlib"]


def test_where_nothing_was_run_the_suites_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert "wire/" in completed("explain", "")
    assert completed("why", "") == []


def test_names_of_this_project_are_offered() -> None:
    assert completed("finding", "qemu-mask") == ["qemu-mask-hides-flag"]
    assert completed("cells", "--hwprofile", "soft") == ["software-only"]
    assert completed("cells", "--suite", "w") == ["wire"]


def test_a_shell_asks_the_program_itself() -> None:
    asked = {"_MULTIFD_COMPLETE": "bash_complete", "COMP_WORDS": "multifd expl", "COMP_CWORD": "1"}

    ended = subprocess.run(PROGRAM, cwd=ROOT, env={**COLOURLESS, **asked}, capture_output=True, text=True, check=False)

    assert (ended.stdout, ended.stderr) == ("plain,explain\n", "")
