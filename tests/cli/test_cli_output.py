"""What reaches the terminal: whoever wrote the text, it does nothing there, and the only escape sequences are ours."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import pytest

from multifd.cli.output import Console, standard_error, standard_output
from multifd.result import store
from tests.cli.command import COLOURLESS, ROOT, multifd
from tests.reports.builder import cell, finding, peer, results, unable

HOSTILE: Final = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u2066\u200b\r"
PLAIN: Final = "\n\t"


def is_plain(text: str) -> bool:
    """Nothing in it does anything to a terminal."""
    return all(each.isprintable() or each in PLAIN for each in text)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Results in which everybody says what they like."""
    told: dict[str, Any] = {"reason": HOSTILE, "error": HOSTILE, "complaints": (HOSTILE,), "reproduce": HOSTILE}
    cells = (cell(id=f"a{HOSTILE}", verdict="fail", kind="crash", **told), cell(id="b", sender=HOSTILE, **told))
    found = finding(id=HOSTILE, component=HOSTILE, cause=HOSTILE, remedy=HOSTILE, cells=("b",))
    run = results(*cells, findings=(found,), cannot=(unable(reason=HOSTILE),))
    store.save(run.model_copy(update={"peers": (peer(HOSTILE, "software"),)}), tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("answers", "--results", "{}"),
        ("answers", "--results", "{}", "--json"),
        ("finding", "--results", "{}"),
        ("finding", HOSTILE, "--results", "{}"),
        ("finding", HOSTILE, "--results", "{}", "--markdown"),
        ("finding", HOSTILE, "--results", "{}", "--json"),
        ("finding", "x" + HOSTILE, "--results", "{}"),
        ("why", "zlib", "isal", "--results", "{}"),
        ("why", HOSTILE, "isal", "--results", "{}"),
        ("why", HOSTILE, "isal", "--results", "{}", "--json"),
        ("report", "{}", "--tap"),
        ("report", "{}", "--json"),
        ("report", HOSTILE),
        ("diff", "{}", "{}"),
        (HOSTILE,),
        ("cells", f"--{HOSTILE}"),
    ],
    ids=lambda words: " ".join(words).encode("ascii", "ignore").decode().translate(dict.fromkeys(range(32))),
)
def test_no_command_lets_others_text_do_anything(command: tuple[str, ...], directory: Path) -> None:
    answer = multifd(*(word.replace("{}", str(directory)) for word in command))

    assert is_plain(answer.out + answer.err)
    if command[-1] == "--json":
        assert all(json.loads(line) for line in answer.out.splitlines())


def test_a_coloured_line_has_our_colours_and_no_others() -> None:
    stream = io.StringIO()

    with redirect_stdout(stream):
        Console().print(f"[bold]name[/] {HOSTILE}", soft_wrap=True)

    assert is_plain(stream.getvalue())


def test_a_terminal_gets_our_colours_and_nothing_of_others() -> None:
    said = f"from multifd.cli.output import *\nwith standard_output(): Console().print('[red]us[/] ' + {HOSTILE!r})"
    controller, terminal = os.openpty()

    subprocess.run(
        [sys.executable, "-c", said], cwd=ROOT, env={**COLOURLESS, "TERM": "xterm", "COLUMNS": "200"},
        stdout=terminal, check=True,
    )  # fmt: skip

    os.close(terminal)
    shown = os.read(controller, 1000).decode()
    os.close(controller)
    assert shown.startswith("\x1b[31mus\x1b[0m \\u001b]0;owned")
    assert shown.count("\x1b") == 2


def test_everything_on_either_stream_is_made_printable() -> None:
    with TemporaryFile("w+", encoding="utf-8") as out, redirect_stdout(out), redirect_stderr(io.StringIO()) as err:
        with standard_error(), standard_output():
            print(HOSTILE)
            print(HOSTILE, file=sys.stderr)
        out.seek(0)

        assert is_plain(out.read() + err.getvalue())
