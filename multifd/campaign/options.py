"""What decides a run: options that the command line of pytest and of ``multifd`` share."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

DEFAULT_PROFILE: Final = "auto"
DEFAULT_MEMORY: Final = 2 << 20
DEFAULT_SEED: Final = 1


class Options(BaseModel):
    """What the user asked for. Equal options on one host give equal plans."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str = DEFAULT_PROFILE
    """Name of a shipped profile, or path of a file."""
    qemu: tuple[str, ...] = ()
    """Real QEMUs: paths, command lines, or ``found``."""
    memory: int = DEFAULT_MEMORY
    """Bytes of guest memory in the suite ``wire``."""
    corpus: Path | None = None
    """The user's own memory content."""
    seed: int = DEFAULT_SEED
    """Of all content that is made by chance."""

    def repeated(self) -> tuple[str, ...]:
        """The options as arguments, those with their defaults left out; files by their absolute path."""
        given: list[str] = []
        if self.profile != DEFAULT_PROFILE:
            given += [
                "--hwprofile",
                str(Path(self.profile).resolve()) if Path(self.profile).is_file() else self.profile,
            ]
        for qemu in self.qemu:
            given += ["--qemu", str(Path(qemu).resolve()) if Path(qemu).is_file() else qemu]
        if self.memory != DEFAULT_MEMORY:
            given += ["--memory", str(self.memory)]
        if self.corpus is not None:
            given += ["--corpus", str(self.corpus.resolve())]
        if self.seed != DEFAULT_SEED:
            given += ["--seed", str(self.seed)]
        return tuple(given)

    def reproduce(self, cell: str) -> str:
        """The command that runs exactly this cell again, in the project's directory (README)."""
        return shlex.join(["python3", "bootstrap.py", "conformance", "--cell", cell, *self.repeated()])


def _absolute(name: str) -> str:
    """A file by its path from the root, any other name as it is."""
    return str(Path(name).resolve()) if Path(name).is_file() else name
