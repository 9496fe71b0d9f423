"""Results of a run as every command reads them, with a word where two files of one directory are not of one mind."""

from __future__ import annotations

from pathlib import Path

from multifd.cli.output import say
from multifd.result import store
from multifd.result.beside import disagreement
from multifd.result.record import Results


def results_of(path: Path, *, files: bool = True) -> Results:
    """As :func:`multifd.result.store.load_from` has them, or as ``load``, which takes no file."""
    found = store.load_from(path) if files else store.load(path)
    if (said := disagreement(found, path)) is not None:
        say(said)
    return found
