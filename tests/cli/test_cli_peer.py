"""``multifd peer``: what it is given, and that it then speaks the contract."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.cli.command import PROGRAM, ROOT, multifd


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("lz4",), "codec 'lz4' is unknown; expected one of "),
        (("zlib", "level"), "parameter 'level': expected NAME=NUMBER, such as level=6"),
        (("zlib", "level="), "parameter 'level=': expected NAME=NUMBER, such as level=6"),
        (("zlib", "level=six"), "parameter 'level=six': expected NAME=NUMBER, such as level=6"),
        (("zlib", "level=²"), "parameter 'level=²': expected NAME=NUMBER, such as level=6"),
        (("zlib", "level=10"), "codec zlib: level is 10; expected 0 to 9"),
        (("zlib", "level=" + "9" * 5000), "parameter 'level=9999"),
        (("zlib", "speed=1"), "codec zlib: parameter 'speed' is unknown; expected one of level, window"),
        (("none", "level=1"), "codec none: parameter 'level' is unknown; expected one of none"),
    ],
    ids=lambda value: "-".join(value)[:20] if isinstance(value, tuple) else None,
)
def test_a_wrong_codec_or_parameter_is_refused(arguments: tuple[str, ...], error: str) -> None:
    answer = multifd("peer", *arguments)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"multifd: {error}")


def served(requests: str) -> subprocess.CompletedProcess[str]:
    """Serve these lines."""
    return subprocess.run(
        [*PROGRAM, "peer", "zlib", "level=9"], cwd=ROOT, input=requests, capture_output=True, text=True, check=False
    )


def test_it_answers_until_it_is_told_to_quit() -> None:
    ended = served('{"id": 7, "op": "hello"}\n{"id": 8, "op": "quit"}\n')

    reply = json.loads(ended.stdout)
    assert (ended.returncode, reply["id"], reply["name"]) == (0, 7, "zlib[level=9]")


def test_the_end_of_its_input_is_a_quit() -> None:
    assert served("").returncode == 0


def test_what_is_no_request_ends_it() -> None:
    ended = served("GET / HTTP/1.1\n")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("multifd peer: not a request: (whole): Invalid JSON: ")
