"""``multifd run``: the suites, with pytest's own options, and an exit code by contract."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from multifd.result import store
from tests.campaign.runs import CELL
from tests.cli.command import COLOURLESS, PROGRAM, ROOT, Answer, multifd
from tests.cli.test_cli_output import HOSTILE, is_plain


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """One codec."""
    path = tmp_path / "one.yaml"
    path.write_text("description: one\npeers:\n  - codec: zlib\n")
    return path


def run(profile: Path, *arguments: str) -> Answer:
    """With this profile, and no workers."""
    where = ("--results", profile.with_name("results"))
    command = ("run", "--hwprofile", profile, "--qemu", "none", *where, "-n", "0", *arguments)
    ended = subprocess.run(
        [*PROGRAM, *map(str, command)], cwd=ROOT, env=COLOURLESS, capture_output=True, text=True, check=False
    )
    return Answer(ended.returncode, ended.stdout, ended.stderr)


def test_a_cell_is_run_progress_is_said_and_where_the_report_is(profile: Path) -> None:
    answer = run(profile, "--cell", CELL, "--tb=short", "-rA")

    results = store.load(profile.with_name("results"))
    assert answer.code == 0, answer.out + answer.err
    assert [(cell.id, cell.verdict) for cell in results.cells] == [(CELL, "pass")]
    assert f"Report: {profile.with_name('results')}/report.html" in answer.out
    assert f"test_pairing[{CELL}]" in answer.out


def test_a_part_of_a_suite_is_run_and_told_in_tap(profile: Path) -> None:
    answer = run(profile, "--suite", "probe", "--tap", "--no-allure", "-k", "zlib")

    assert answer.code == 0, answer.out + answer.err
    assert answer.out == "TAP version 13\n1..1\nok 1 - probe/zlib\n"
    assert "1 pass" in answer.err
    assert not (profile.with_name("results") / "allure").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--cell", f"wire/zlip{HOSTILE}"), "no cell 'wire/zlip"),
        (("--frobnicate",), "unrecognized arguments: --frobnicate"),
    ],
)
def test_what_cannot_be_run_is_exit_2(arguments: tuple[str, ...], complaint: str, profile: Path) -> None:
    before = profile.with_name("results") / store.EVENTS
    before.parent.mkdir()
    before.write_text("of the run before")

    answer = run(profile, "--json", *arguments)

    assert (answer.code, before.read_text()) == (2, "of the run before")
    assert complaint in answer.err
    assert is_plain(answer.err)
    assert json.loads(answer.out) == {
        "exit_code": 2, "complete": False, "verdicts": {}, "results": None, "report": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--memory", "3K"), "--memory '3K': expected a multiple of 512K, at least 1536K"),
        (("--frobnicate",), "unrecognized arguments: --frobnicate"),
        (("-n", "x"), "argument -n/--numprocesses: invalid parse_numprocesses value: 'x'"),
        (
            ("-n", "1", "-k", "a ("),
            "Wrong expression passed to '-k': a (: at column 4: expected identifier",
        ),
        (("-n", "2", "/nowhere/at/all"), "/nowhere/at/all: there is no such file or directory; expected one of suit"),
        (("--suite", "probe", "--shard", "2/2"), "--shard 2/2: what is asked for has 1 group of cells"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_line_on_standard_error_whoever_notices_it(
    arguments: tuple[str, ...], complaint: str, profile: Path
) -> None:
    answer = run(profile, "-q", "-q", *arguments)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"multifd: {complaint}")
    assert answer.err.count("\n") == 1


def test_an_unknown_suite_is_refused_with_those_that_there_are(profile: Path) -> None:
    answer = multifd("run", "--hwprofile", profile, "--suite", "wires")

    assert (answer.code, answer.out) == (2, "")
    assert "'wires' is not one of 'probe', 'wire'" in answer.err
