"""Command and environment of a Python of ours: it runs our code, and never what lies where somebody happens to be.

``python -m`` and ``python -c`` put the current directory before everything else, the standard library included, so that
a file ``numpy.py`` or ``json.py`` in it would be executed by whatever we start there. ``-P`` (Python 3.11,
https://docs.python.org/3/using/cmdline.html#cmdoption-P) leaves it out. An empty or relative entry of ``PYTHONPATH``
means the current directory too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

INTERPRETER: Final = (sys.executable, "-P")
"""This Python, for programs of ours."""
ROOT: Final = Path(__file__).resolve().parents[2]
"""The folder that ``multifd`` is in."""
ENVIRONMENT: Final[Mapping[str, str]] = {"PYTHONPATH": str(ROOT)}
"""Variables, besides our own, in which ``multifd`` and what is installed is found."""


def python(*arguments: str, loader: Sequence[str] = ()) -> tuple[str, ...]:
    """The command of this Python with these arguments, under a loader and its options or plainly."""
    return (*loader, *INTERPRETER, *arguments)


def same_path() -> dict[str, str]:
    """Variables, besides our own, in which all is found that this process finds: also what is not installed.

    Left out is what this process has from having been started where it is: an empty or relative entry, and the current
    directory, unless ``PYTHONPATH`` names it as such.
    """
    here, named = str(Path.cwd()), os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = [entry for entry in sys.path if Path(entry).is_absolute() and (entry != here or here in named)]
    # An editable installation may be known to an import hook only.
    return {"PYTHONPATH": os.pathsep.join(dict.fromkeys([*filter(os.path.exists, path), str(ROOT)]))}
