"""The command as a whole: help that teaches, one line for an error, and an output that its reader may treat badly."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from multifd import __version__
from tests.cli.command import COLOURLESS, PROGRAM, ROOT, multifd, process

ZSTD: Final = ROOT / "tests/captures/qemu-10.0-zstd"

TEACHES: Final = {
    "cells": ("MATCH shows only cells whose id contains this text", "Exit 2 where no cell is left to show"),
    "explain": ("CELL is an id, as multifd cells prints it", "Exit 2 if there is no such cell"),
    "why": ("SENDER and RECEIVER are peers as multifd cells names them", "Exit 2 if there is no such peer"),
    "run": ("Any other option goes to pytest", "0 conforming, 1 not conforming, 2 usage or input"),
    "finding": ("ID is that of a finding, a part of it", "Exit 2 if the run has no such finding"),
    "replay": ("CAPTURE is a directory", "exit 0 identical, 1 not, 2 it cannot be read"),
    "dissect": ("CAPTURE is a directory", "exit 2 where one cannot be read"),
    "report": (
        "DIRECTORY is what the run was given as --results",
        "0 conforming, 1 not conforming, 3 if the environment broke",
    ),
    "diff": ("BEFORE and AFTER are what the runs were given as --results", "0 nothing is worse, 1 something is"),
    "peer": ("CODEC is none, zlib, zlib-ng, isal, libdeflate or zstd", "docs/peer-contract.md"),
}
"""What a command's help says of its argument, and of its exit code or its contract."""


@pytest.mark.parametrize(("command", "words"), TEACHES.items(), ids=TEACHES)
def test_help_names_the_argument_and_the_exit_code(command: str, words: tuple[str, str]) -> None:
    answer = multifd(command, "--help")

    assert answer.code == 0
    assert [text for text in words if text not in " ".join(answer.out.split())] == []


def test_help_lists_the_commands_and_the_exit_codes() -> None:
    answer = multifd("--help")

    assert answer.code == 0
    codes = "Exit codes: 0 conforming, 1 not conforming, 2 usage or input, 3 the environment broke."
    assert codes in " ".join(answer.out.split())
    assert [command for command in TEACHES if f"\n  {command} " not in answer.out] == []


def test_short_help_is_help() -> None:
    assert multifd("-h") == multifd("--help")


def test_the_version() -> None:
    answer = multifd("--version")

    assert (answer.code, answer.out) == (0, f"multifd {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("frobnicate",), "No such command 'frobnicate'"),
        (("explian",), "No such command 'explian'; the nearest are explain, "),
        (("replay",), "Missing argument 'CAPTURE'"),
        (("explain",), "Missing argument 'CELL'"),
        (("diff",), "Missing argument 'BEFORE'"),
        (("cells", "--suite", "speed"), "'speed' is not one of 'probe', 'wire', 'negotiation'"),
        (("cells", "--frobnicate"), "No such option"),
        (("dissect", str(ZSTD), "--limit", "0"), "0 is not in the range x>=1"),
        (("dissect", str(ZSTD), "--channel", "one"), "'one' is not a valid integer"),
    ],
    ids=lambda value: "-".join(Path(part).name for part in value) if isinstance(value, tuple) else None,
)
def test_wrong_usage_is_exit_2(arguments: tuple[str, ...], error: str) -> None:
    answer = multifd(*arguments)

    assert (answer.code, answer.out) == (2, "")
    assert error in answer.err


def test_an_error_is_one_line_on_stderr() -> None:
    answer = process("replay", "/nowhere")

    line = "multifd: /nowhere/manifest.json: cannot read: No such file or directory; expected a capture directory\n"
    assert (answer.code, answer.out, answer.err) == (2, "", line)


# The reader of the output


def piped(*arguments: str, lines: int) -> tuple[int, list[str], str]:
    """Read some lines, then leave: exit code, the lines, stderr."""
    with subprocess.Popen(
        [*PROGRAM, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        read = [command.stdout.readline().rstrip("\n") for _ in range(lines)]
        command.stdout.close()
        return command.wait(60), read, command.stderr.read()


def test_a_reader_that_leaves_is_no_error() -> None:
    code, (line,), err = piped("cells", "--hwprofile", "software-only", "wire/none", lines=1)

    assert code == 0
    assert line.startswith("identical wire/none/none~none/")
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_a_reader_that_leaves_does_not_change_the_outcome(tmp_path: Path) -> None:
    cut = shutil.copytree(ZSTD, tmp_path / "capture")
    (cut / "channel-1.bin").write_bytes((ZSTD / "channel-1.bin").read_bytes()[:2000])

    code, _, err = piped("dissect", str(cut), lines=1)

    assert (code, err.startswith("multifd: channel 1: ")) == (2, True)


def test_a_full_disk_is_the_environments_fault() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*PROGRAM, "dissect", str(ZSTD)], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert (ended.returncode, ended.stderr) == (3, "multifd: standard output: cannot write: No space left on device\n")


def test_a_defect_of_ours_is_one_line_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(directory: Path) -> None:
        raise KeyError(f"what\n{directory}\x1b[2J")

    monkeypatch.setattr("multifd.result.store.load", broken)

    answer = multifd("report", tmp_path)

    assert (answer.code, answer.out, answer.err.count("\n")) == (3, "", 1)
    assert answer.err.startswith("multifd: a defect of this program in test_cli_main.py, line ")
    assert answer.err.endswith("; remedy: report it with the command that you gave\n")
    assert "\x1b" not in answer.err


def test_what_the_readers_encoding_lacks_is_escaped() -> None:
    ended = subprocess.run(
        [*PROGRAM, "dissect", str(ZSTD), "--limit", "3"],
        cwd=ROOT, env={**COLOURLESS, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\u2026" in ended.stdout


def test_there_are_no_colours_where_nobody_sees_them() -> None:
    for arguments in (("replay", str(ZSTD)), ("replay", str(ZSTD), "--decoder", "none"), ("dissect", str(ZSTD))):
        answer = process(*arguments)

        assert "\x1b" not in answer.out + answer.err


def test_a_terminal_gets_colours() -> None:
    controller, terminal = os.openpty()

    subprocess.run(
        [*PROGRAM, "replay", str(ZSTD)],
        cwd=ROOT, env={**COLOURLESS, "TERM": "xterm", "COLUMNS": "200"}, stdout=terminal, check=True,
    )  # fmt: skip

    os.close(terminal)
    assert b"\x1b[32midentical" in os.read(controller, 1000)
    os.close(controller)
