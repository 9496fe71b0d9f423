"""``multifd bisect-step``: one step of ``git bisect run``, which takes every exit code but four for bad."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.campaign.prepare import prepare
from multifd.cli import bisect
from multifd.cli.bisect import ABORT, BAD, GOOD, UNTESTED, judged
from multifd.errors import EnvironmentBroke, HarnessError
from tests.cli.command import COLOURLESS, PROGRAM, ROOT, Answer, multifd

PROFILE: Final = "extends: software-only\ndescription: one codec\npeers: [{codec: zlib}]\n"
OWN: Final = (
    f"extends: software-only\ndescription: ours\npeers: [{{name: own, command: [{sys.executable}, peer.py]}}]\n"
)
ALWAYS: Final = frozenset({"fail", "known"})


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "one.yaml"
    path.write_text(PROFILE)
    return path


@pytest.fixture(scope="module", autouse=True)
def prepared_once() -> Iterator[None]:
    """Equal options on one host give equal plans: here each is made once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bisect, "prepare", cache(prepare))
        yield


def step(profile: Path, *arguments: str | Path, qemu: str = "none") -> Answer:
    return multifd("bisect-step", *arguments, "--hwprofile", profile, "--qemu", qemu)


@pytest.mark.parametrize(("counts", "code"), [
    ({"pass": 1}, GOOD), ({"refused": 1}, GOOD), ({"hazard": 1}, GOOD), ({"pass": 1, "skip": 3}, GOOD),
    ({"fail": 1}, BAD), ({"known": 1}, BAD), ({"pass": 9, "known": 1}, BAD), ({"error": 1, "fail": 1}, BAD),
    ({}, UNTESTED), ({"skip": 1}, UNTESTED), ({"not-run": 1}, UNTESTED), ({"pass": 1, "error": 1}, UNTESTED),
])  # fmt: skip
def test_verdicts_become_what_git_is_told(counts: dict[str, int], code: int) -> None:
    assert judged(counts, ALWAYS) == code


@pytest.mark.parametrize(("bad", "verdict", "code"), [
    ("hazard", "hazard", BAD), ("hazard", "known", GOOD), ("fail", "known", GOOD), ("refused", "refused", BAD),
    ("fail", "fail", BAD), ("known", "fail", GOOD), ("skip", "skip", BAD), ("error", "error", BAD),
])  # fmt: skip
def test_what_is_bad_may_be_said(bad: str, verdict: str, code: int) -> None:
    assert judged({verdict: 1}, frozenset({bad})) == code


def test_a_cell_that_passes_is_good(profile: Path) -> None:
    answer = step(profile, "probe/zl*")

    assert answer.code == GOOD
    assert answer.out.startswith("pass probe/zlib: it introduced itself")
    assert answer.out.endswith("good: 1 pass\n")


def test_cells_are_named_in_part_and_run_as_often_as_is_said(profile: Path) -> None:
    answer = step(profile, "wire/zlib/zlib~zlib/qemu-10.0/capture/", "probe/zlib", "probe/zlib", "--times", "2")

    lines = answer.out.splitlines()
    cells = len({line.split()[1] for line in lines[:-1]})
    assert cells > 1
    assert lines[-1] == f"good: {2 * cells} pass"
    assert [line for line in lines if line.startswith("pass probe/zlib:")] == [lines[cells - 1]] * 2


def test_a_verdict_that_is_said_to_be_bad_is(profile: Path) -> None:
    answer = step(profile, "probe/zlib", "--bad", "pass")

    assert (answer.code, answer.out.splitlines()[-1]) == (BAD, "bad: 1 pass")


def test_a_binary_that_is_no_qemu_cannot_be_tested(profile: Path) -> None:
    answer = step(profile, "qemu/*", qemu=shutil.which("true") or "")

    assert (answer.code, answer.out) == (UNTESTED, "")
    assert "multifd: cannot be tested: qemu exited with status 0 before it answered" in answer.err


@pytest.mark.parametrize("cell", ["qemu/zlib/qemu-*~qemu-*/*/migrate/*", "lunch"])
def test_a_cell_that_is_not_there_cannot_be_tested(cell: str, profile: Path) -> None:
    answer = step(profile, cell)

    assert (answer.code, answer.out) == (UNTESTED, "")
    assert f"cannot be tested: no cell {cell!r}; the nearest are " in answer.err


@pytest.mark.parametrize("arguments", [
    (), ("probe/zlib", "--bad", "wrong"), ("probe/zlib", "--lunch"), ("probe/zlib", "--times", "0"),
    ("probe/zlib", "--seed", "-1"), ("probe/zlib", "--corpus", ""), ("probe/zlib", "--memory", "much"),
    ("probe/zlib", "--hwprofile", "nobody"),
])  # fmt: skip
def test_a_wrong_command_line_ends_the_bisection(arguments: tuple[str, ...]) -> None:
    answer = multifd("bisect-step", *arguments)

    assert (answer.code, answer.out) == (ABORT, "")
    assert answer.err != ""


def test_help_is_no_error() -> None:
    assert multifd("bisect-step", "--help").code == 0


@pytest.mark.parametrize("problem", [
    EnvironmentBroke("the disk is full"), HarnessError("ours"), KeyboardInterrupt(), RuntimeError("a defect"),
], ids=["environment", "harness", "interrupted", "defect"])  # fmt: skip
def test_whatever_breaks_meanwhile_ends_the_bisection(
    problem: BaseException, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> int:
        raise problem

    monkeypatch.setattr(bisect, "_step", broken)

    answer = step(profile, "probe/zlib")

    assert answer.code == ABORT
    assert (str(problem) or "interrupted") in answer.err


def committed(repository: Path, name: str, content: str) -> None:
    (repository / name).write_text(content)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", f"{name} {len(content)}", "--allow-empty")


def git(repository: Path, *arguments: str) -> str:
    author = (
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "commit.gpgsign=false",
    )
    command = ["git", *author, *arguments]
    environment = {**COLOURLESS, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=repository, env=environment, capture_output=True, text=True, check=True, timeout=110
    ).stdout


def test_git_finds_the_first_bad_commit(tmp_path: Path) -> None:
    peer = (ROOT / "examples/own_peer/peer.py").read_text(encoding="utf-8").replace('"huffman-only"', '"own"')
    git(tmp_path, "init", "-q")
    (tmp_path / "profile.yaml").write_text(OWN)
    committed(tmp_path, "peer.py", peer)
    committed(tmp_path, "peer.py", peer.replace("return output", "return bytes(len(output))"))
    committed(tmp_path, "README", "later")
    first = git(tmp_path, "rev-parse", "HEAD~1").strip()
    git(tmp_path, "bisect", "start", "HEAD", "HEAD~2")

    said = git(tmp_path, "bisect", "run", *PROGRAM, "bisect-step", "probe/own", "--hwprofile", "profile.yaml",
               "--qemu", "none")  # fmt: skip

    assert f"{first} is the first bad commit" in said
