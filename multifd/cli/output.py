"""What a command says, as its reader may treat it, and as it may treat its reader.

A reader that leaves (``multifd cells | head``) does not change the exit code: what it does not read goes nowhere.
A disk that is full does (``multifd cells > file``). What the terminal's encoding lacks is shown as an escape, and so is
every character that does something to a terminal: peers, QEMU and other people's results may say what they like. The
only escape sequences that leave are the colours of :class:`Console`, which are ours.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO, cast

from rich import console
from typing_extensions import Buffer

from multifd.errors import EnvironmentBroke
from multifd.result.printable import clipped, one_line, printable

_STDERR: Final = 2


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
                which = "error" if self.fileno() == _STDERR else "output"
                raise EnvironmentBroke(f"standard {which}: cannot write: {problem.strerror}") from None
        return memoryview(data).nbytes


class _Printable:
    """A stream that shows text and does nothing else with it; ``stream`` is the one below, which takes anything."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Made printable."""
        return self.stream.write(printable(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Console(console.Console):
    """Text with colours of ours, on standard output or standard error; nothing in it is highlighted."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        super().__init__(file=getattr(stream, "stream", stream), highlight=False)

    def print(self, *objects: Any, **how: Any) -> None:
        """Strings are made printable before they get their colours."""
        super().print(*(printable(each) if isinstance(each, str) else each for each in objects), **how)


def say(line: str) -> None:
    """One line on standard error, at once: progress, or why it does not go on."""
    print(one_line(clipped(f"multifd: {line}")), file=sys.stderr, flush=True)


def lasting(stream: TextIO, *, line_buffering: bool = True) -> io.TextIOWrapper:
    """The same open file, which takes everything, also when nobody takes it any more."""
    raw = _Output(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=stream.encoding, errors="backslashreplace", line_buffering=line_buffering
    )


@contextmanager
def standard_error() -> Iterator[None]:
    """Let ``sys.stderr`` show text, whoever wrote it."""
    before = sys.stderr
    sys.stderr = cast("TextIO", _Printable(before))
    try:
        yield
    finally:
        sys.stderr = before


@contextmanager
def standard_output() -> Iterator[None]:
    """Let ``sys.stdout`` be like this; raises :class:`EnvironmentBroke` if not everything could be written."""
    before = sys.stdout
    before.flush()
    made = lasting(before, line_buffering=before.isatty())
    sys.stdout = cast("TextIO", _Printable(made))
    try:
        yield
    finally:
        sys.stdout = before
        made.flush()
