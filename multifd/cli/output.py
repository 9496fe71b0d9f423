"""Standard output of a command, as its reader may treat it.

A reader that leaves (``multifd cells | head``) does not change the exit code: what it does not read goes nowhere.
A disk that is full does (``multifd cells > file``). What the terminal's encoding lacks is shown as an escape.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import Buffer

from multifd.errors import EnvironmentBroke


class _Output(io.FileIO):
    """Takes everything, also when nobody takes it any more."""

    _lost = False

    def write(self, data: Buffer) -> int:
        """Raises :class:`EnvironmentBroke` once, when the host does not take it."""
        if not self._lost:
            try:
                return super().write(data)
            except BrokenPipeError:
                self._lost = True
            except OSError as problem:
                self._lost = True
                raise EnvironmentBroke(f"standard output: cannot write: {problem.strerror}") from None
        return memoryview(data).nbytes


@contextmanager
def standard_output() -> Iterator[None]:
    """Let ``sys.stdout`` be like this; raises :class:`EnvironmentBroke` if not everything could be written."""
    before = sys.stdout
    before.flush()
    raw = _Output(before.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding,
        errors="backslashreplace",
        line_buffering=raw.isatty(),
    )
    try:
        yield
    finally:
        made, sys.stdout = sys.stdout, before
        made.flush()
