"""A fresh Python process like this one: the same loader, the same library, nothing used up yet."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import qatzip

SOURCES = Path(qatzip.__file__).parents[1]


def run_python(program: str, **environment: str) -> str:
    """What the program prints. Raises :class:`subprocess.CalledProcessError`."""
    answer = subprocess.run(
        [*_command(), "-c", program],
        env={**os.environ, "PYTHONPATH": str(SOURCES), **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return answer.stdout


def _command() -> list[str]:
    arguments = [argument.decode() for argument in Path("/proc/self/cmdline").read_bytes().split(b"\0")]
    interpreter = next(n for n, argument in enumerate(arguments) if Path(argument).name.startswith("py"))
    return arguments[: interpreter + 1]
