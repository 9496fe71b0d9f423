"""What each QEMU of a cell was started with, told and said, as somebody else can do it again.

A run leaves that in files beside its results. Paths of the host that it ran on mean nothing to others: sockets and
memory are shown below ``DIR``, and of the command line whatever only that host needs is left out (a loader, the places
of a fetched tree, the sockets of the harness).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from multifd.result.counted import counted
from multifd.result.record import Cell

LINES: Final = 30
"""Lines of what one QEMU was told, and of what it wrote."""
LONGEST: Final = 4 << 10
"""Characters of one of them; a command of QMP that is longer is shown without its arguments."""
_WORDS: Final = ".words.json"
_PROGRAM: Final = "qemu-system-"
_LEFT_OUT: Final = {"-L": 1, "-qtest": 1, "-qtest-log": 1, "-qmp": 1}
"""Options of the harness and of its host, and how many words belong to each."""
_HERE: Final = re.compile(r"/[^\s\"',]*/multifd-\w{8}/(?:[^\s\"',/]+/)*")
"""The scratch directory of a run, and what is below it but for the last name."""


@dataclass(frozen=True)
class Told:
    """One QEMU of a cell."""

    name: str
    """Which end it was: ``source``, ``destination``, and others where there were more."""
    command: str | None
    """Its command line as a shell takes it; None where the run has not written it down."""
    qmp: tuple[str, ...]
    """What it was told, each line one command in JSON, whole."""
    wrote: tuple[str, ...]
    """To standard error."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Of its command line, by name."""

    @property
    def machine(self) -> str | None:
        """Its machine type."""
        return self.options.get("-machine", "").partition(",")[0] or None

    @property
    def memory(self) -> str | None:
        """What it was given with ``-m``."""
        return self.options.get("-m")


def told(cell: Cell, directory: Path) -> Iterator[Told]:
    """The QEMUs of a cell; what cannot be read, or lies outside the directory, is left out."""
    for artifact in cell.artifacts:
        file = (directory / artifact).resolve()
        if not file.name.endswith(_WORDS) or not file.is_relative_to(directory.resolve()):
            continue
        try:
            said: Any = json.loads(file.read_bytes())
            yield _read(file.name.removesuffix(_WORDS), said)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue


def _read(name: str, said: dict[str, Any]) -> Told:
    commands = [each for each in said["qmp"] if "execute" in each and not each["execute"].startswith("query-")]
    command = [str(each) for each in said.get("command", ())]
    words = _general(command)
    return Told(
        name=name,
        command=_shell(words, name) if words else None,
        qmp=_few([_command(each) for each in commands]),
        wrote=_few([elsewhere(line)[:LONGEST] for line in dict.fromkeys(said["stderr"].splitlines())]),
        options=dict(_pairs(words)),
    )


def elsewhere(text: str) -> str:
    """The same with the scratch directory of the run as ``DIR``."""
    return _HERE.sub("DIR/", text)


def _command(exchange: dict[str, Any]) -> str:
    given = {name: exchange[name] for name in ("execute", "arguments") if name in exchange}
    whole = elsewhere(json.dumps(given))
    if len(whole) <= LONGEST:
        return whole
    return json.dumps({"execute": str(exchange["execute"])[:LONGEST], "arguments": f"{len(whole):,} characters"})


def _few(lines: Sequence[str]) -> tuple[str, ...]:
    """As many as are shown; of more it is said how many are not."""
    left = len(lines) - LINES
    return (*lines[:LINES], *((f"# and {counted(left, 'more line')}",) if left > 0 else ()))


def _general(command: Sequence[str]) -> list[str]:
    """Without what belongs to the host of the run."""
    at = next((at for at, word in enumerate(command) if _PROGRAM in Path(word).name), None)
    if at is None:
        return []
    kept, rest = [Path(command[at]).name], iter(command[at + 1 :])
    for word in rest:
        if word in _LEFT_OUT:
            for _ in range(_LEFT_OUT[word]):
                next(rest, None)
        else:
            kept.append(elsewhere(word))
    return kept


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((option, value) for option, value in pairwise(words) if option.startswith("-"))


def _shell(words: Sequence[str], name: str) -> str:
    """One option a line, with a monitor of which QMP can be typed."""
    program, *rest = words
    lines: list[list[str]] = [[program]]
    for word in (*rest, "-qmp", f"unix:DIR/{name}.qmp,server=on,wait=off"):
        if word.startswith("-"):
            lines.append([word])
        else:
            lines[-1].append(word)
    return " \\\n    ".join(shlex.join(line) for line in lines)


def common(values: Iterable[str | None]) -> str | None:
    """The values that there are, each once."""
    return ", ".join(dict.fromkeys(value for value in values if value)) or None
