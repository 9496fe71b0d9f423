"""Which QEMU: a program, or a command line with a loader or a wrapper before it.

``--qemu`` takes a path (``/opt/qemu/bin/qemu-system-x86_64``), a command line in the shell's quoting
(``'/opt/lib/ld.so --library-path /opt/lib /opt/qemu/qemu-system-x86_64 -L /opt/share'``), or a word: ``found`` for the
one in ``PATH`` and every version that ``multifd vendor fetch --qemu`` has fetched, ``auto`` for the one in ``PATH`` if
there is one, ``none`` for none.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from multifd.errors import InputError
from multifd.libraries import cache
from multifd.qemu.arch import ARCHES, X86

FOUND: Final = "found"
AUTO: Final = "auto"
NONE: Final = "none"


class Binary(BaseModel):
    """A QEMU that can be started."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...]
    """Program and arguments that come before all of ours."""
    environment: dict[str, str] = {}
    """Variables that the process gets besides ours."""
    name: str | None = None
    """What results call it; ``qemu-<version>`` unless given."""

    @property
    def program(self) -> str:
        """QEMU's own path, without loader, wrapper and options, for people."""
        programs = [arch.program for arch in ARCHES.values()]
        return next((part for part in self.command if any(p in Path(part).name for p in programs)), self.command[0])


def named(text: str) -> list[Binary]:
    """The binaries that one ``--qemu`` names; raises :class:`InputError` where there is none."""
    if text == FOUND:
        binaries = found()
        if not binaries:
            raise InputError(
                f"--qemu {FOUND}: no {X86.program} in PATH and none fetched; install Debian's {X86.package}, or run"
                " 'multifd vendor fetch --qemu'"
            )
        return binaries
    if text == AUTO:
        return in_path()[:1]
    if Path(text).is_file():
        return [checked(Binary(command=(text,)))]
    try:
        command = tuple(shlex.split(text))
    except ValueError as problem:
        raise InputError(f"--qemu {text!r}: is not a command line: {problem}") from None
    return [checked(Binary(command=command))]


def checked(binary: Binary, given: str = "--qemu") -> Binary:
    """The binary with its program's whole path; raises :class:`InputError` naming what ``given`` it if there is none.

    A path is taken from the directory where the run was started.
    """
    program = shutil.which(binary.command[0]) if binary.command else None
    if program is None:
        asked = shlex.join(binary.command)
        raise InputError(f"{given} {asked!r}: no such program; expected a path, a command line, or '{FOUND}'")
    return binary.model_copy(update={"command": (str(Path(program).absolute()), *binary.command[1:])})


def found() -> list[Binary]:
    """The host's own QEMUs, then the fetched ones, the same program once."""
    own = (binary.command for binary in in_path())
    fetched = (tree.command for tree in cache.trees(cache.directory()) if _is_qemu(tree))
    return [Binary(command=command) for command in _distinct([*own, *fetched])]


def in_path() -> list[Binary]:
    """The host's own QEMUs, one of each architecture at most."""
    programs = (shutil.which(arch.program) for arch in ARCHES.values())
    return [Binary(command=(program,)) for program in programs if program is not None]


def _is_qemu(tree: cache.Tree) -> bool:
    return any(tree.version(arch.package) is not None for arch in ARCHES.values())


def _distinct(commands: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return list({os.path.realpath(command[0]) + shlex.join(command[1:]): command for command in commands}.values())
