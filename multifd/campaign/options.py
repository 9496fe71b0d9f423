"""What decides a run: options that the command line of pytest and of ``multifd`` share."""

from __future__ import annotations

import reprlib
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from multifd.device.sysfs import Host
from multifd.errors import InputError
from multifd.memory.blocks import LEAST, UNIT
from multifd.memory.size import size
from multifd.qemu.binary import AUTO

DEFAULT_PROFILE: Final = "auto"
DEFAULT_QEMU: Final = (AUTO,)
DEFAULT_MEMORY: Final = LEAST
DEFAULT_SEED: Final = 1
DEFAULT_STRENGTH: Final = 2
DIGITS: Final = 1000
"""Of a seed; Python reads no number of more than 4300 (sys.int_info), and nobody needs one."""
STRENGTHS: Final = (2, 3)

RESULTS: Final = "build/conformance"
CELLS: Final = "build/cells"
"""Where ``--cell`` writes, each cell below its id: never over a whole run."""


class Options(BaseModel):
    """What the user asked for. Equal options on one host give equal plans."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str = DEFAULT_PROFILE
    """Name of a shipped profile, or path of a file."""
    qemu: tuple[str, ...] = DEFAULT_QEMU
    """Real QEMUs: paths, command lines, ``found``, ``auto`` or ``none``."""
    memory: int = DEFAULT_MEMORY
    """Bytes of guest memory in the suite ``wire``."""
    corpus: Path | None = None
    """The user's own memory content."""
    seed: int = DEFAULT_SEED
    """Of all content that is made by chance, and of the choice among combinations that are as good as each other."""
    strength: int = DEFAULT_STRENGTH
    """So many factors the plan combines completely, as far as can be: 2 or 3."""
    host: Path | None = None
    """Root of a recorded host, whose devices take part in the place of this host's own."""

    @property
    def device_host(self) -> Host:
        """The host whose devices take part: their nodes, counters and locks."""
        return Host() if self.host is None else Host(self.host)

    def repeated(self) -> tuple[str, ...]:
        """The options as arguments, those with their defaults left out; files by their absolute path."""
        given: list[str] = []
        if self.profile != DEFAULT_PROFILE:
            given += ["--hwprofile", _absolute(self.profile)]
        if self.qemu != DEFAULT_QEMU:
            given += [part for qemu in self.qemu for part in ("--qemu", _absolute(qemu))]
        if self.memory != DEFAULT_MEMORY:
            given += ["--memory", str(self.memory)]
        if self.corpus is not None:
            given += ["--corpus", str(self.corpus.resolve())]
        if self.seed != DEFAULT_SEED:
            given += ["--seed", str(self.seed)]
        if self.strength != DEFAULT_STRENGTH:
            given += ["--strength", str(self.strength)]
        if self.host is not None:
            given += ["--host-root", str(self.host.resolve())]
        return tuple(given)

    def reproduce(self, cell: str) -> str:
        """The command that runs exactly this cell again, in the project's directory (README)."""
        return shlex.join(["python3", "bootstrap.py", "conformance", "--cell", cell, *self.repeated()])


def default_results(root: Path, cell: str | None) -> Path:
    """Where a run writes that was told nothing, in the project's directory."""
    return root / (f"{CELLS}/{cell}" if cell else RESULTS)


def given(option: str, value: str | None) -> str | None:
    """An option's value; raises InputError for an empty one, which is a variable that somebody forgot to set."""
    if value == "":
        raise InputError(f"{option} '': expected a value, or no {option}")
    return value


def parse(
    *,
    profile: str,
    qemu: Iterable[str],
    memory: str,
    corpus: str | None,
    seed: str,
    strength: str,
    host: str | None,
    directory: Path,
) -> Options:
    """The options as either command line gives them; ``directory`` is where it was given.

    Raises InputError naming the option, the value and what was expected.
    """
    content = given("--corpus", corpus)
    if content is not None and not _writable(content):
        raise InputError(f"--corpus {content!r}: expected a path in UTF-8, for results and commands name it")
    root = given("--host-root", host)
    recorded = (directory / root).resolve() if root else None
    if recorded is not None and not recorded.is_dir():
        raise InputError(f"--host-root {root!r}: expected the root of a recorded host, a directory")
    if not (seed.isascii() and seed.isdigit() and len(seed) <= DIGITS):
        raise InputError(f"--seed {reprlib.repr(seed)}: expected a whole number, 0 or more, of at most {DIGITS} digits")
    if strength not in map(str, STRENGTHS):
        raise InputError(f"--strength {strength!r}: expected {' or '.join(map(str, STRENGTHS))}")
    return Options(
        profile=profile,
        qemu=tuple(qemu) or DEFAULT_QEMU,
        memory=size(memory, unit=UNIT, least=LEAST),
        corpus=(directory / content).resolve() if content else None,
        seed=int(seed),
        strength=int(strength),
        host=recorded,
    )


def _writable(text: str) -> bool:
    """It has no bytes that are not UTF-8, which Python keeps as surrogates (PEP 383)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _absolute(name: str) -> str:
    """A file by its path from the root, any other name as it is."""
    return str(Path(name).resolve()) if Path(name).is_file() else name
