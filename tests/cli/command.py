"""The ``multifd`` command as a user sees it: what it prints and how it ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final
from unittest.mock import patch

from multifd.campaign.options import Options
from multifd.campaign.prepare import Campaign, Say, prepare
from multifd.cli import plans
from multifd.cli.main import main

ROOT: Final = Path(__file__).resolve().parents[2]
COLOURLESS: Final = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
"""The environment without what says of colours that they are wanted whoever reads."""
PROGRAM: Final = (sys.executable, "-m", "multifd.cli.main")


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str


_PREPARED: Final[dict[Options, tuple[Campaign, list[str]]]] = {}


def prepared(options: Options, say: Say, *, probe: bool) -> Campaign:
    """What the command prepares, once for equal options: peers and plans are the same, and take a second."""
    if probe:
        return prepare(options, say, probe=probe)
    if options not in _PREPARED:
        said: list[str] = []
        _PREPARED[options] = prepare(options, said.append, probe=probe), said
    campaign, said = _PREPARED[options]
    for line in said:
        say(line)
    return campaign


def multifd(*arguments: str | Path) -> Answer:
    """Run the command in this process."""
    argv = ["multifd", *map(str, arguments)]
    with TemporaryFile("w+", encoding="utf-8") as out, redirect_stdout(out), patch.object(sys, "argv", argv):
        code: object = None
        with redirect_stderr(io.StringIO()) as err, patch.dict(os.environ, COLOURLESS, clear=True):
            try:
                with patch.object(plans, "prepare", prepared):
                    main()
            except SystemExit as ended:
                code = ended.code
        out.seek(0)
        assert isinstance(code, int), f"ended with {code!r}"
        return Answer(code, out.read(), err.getvalue())


def process(*arguments: str | Path) -> Answer:
    """Run the command as a process of its own."""
    ended = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=ROOT, env=COLOURLESS, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return Answer(ended.returncode, ended.stdout, ended.stderr)
