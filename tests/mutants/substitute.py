"""Building a library that stands in the place of a vendor's, and needs that one for what it does not define."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Final

from multifd.accelerator import VENDOR
from multifd.libraries.find import Library

COMPILER: Final = shutil.which("cc")
_OPTIONS: Final = ("-shared", "-fPIC", "-O1", "-Wall", "-Werror")


def furnish(directory: Path, libraries: Mapping[str, Library]) -> None:
    """What libraries that need a loader of their own have beside them, the loader too, their substitutes must have."""
    folders = chain.from_iterable(library.loader[-1].split(":") for library in libraries.values() if library.loader)
    for file in chain.from_iterable(Path(folder).iterdir() for folder in dict.fromkeys(folders)):
        link = directory / file.name
        if not link.is_symlink():
            link.symlink_to(file)


def substitute(library: Library, source: Path, directory: Path, *options: str) -> None:
    """Build ``source`` in the place of a library, or in that of an earlier substitute."""
    needed, made = (directory / f"{library.name}.{part}" for part in ("needed", "made"))
    # The real one is needed by its path: by its soname the loader would find the substitute again.
    _compile(needed, "-x", "c", os.devnull, f"-Wl,-soname,{library.path.resolve()}")
    _compile(made, *options, str(source), "-Wl,--no-as-needed", str(needed))
    made.replace(directory / VENDOR[library.name].soname)


def _compile(output: Path, *arguments: str) -> None:
    assert COMPILER is not None
    subprocess.run((COMPILER, *_OPTIONS, "-o", str(output), *arguments), check=True)
