"""Proof that a library loads, and the version that it reports itself.

It happens in a process of its own, under the loader that the library needs: a library that crashes while it is loaded
ends that process only. libqpl has ``qpl_get_library_version`` (``qpl/c_api/version.h``, qpl 1.9.0). libqatzip declares
``qzGetSoftwareComponentVersionList`` (``qatzip.h``, QATzip 2.0.0), but it answers QZ_FAIL (-2), "don't support".
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Final

from multifd.accelerator import VENDOR
from multifd.errors import InputError
from multifd.libraries.find import Library, python_command

_SECONDS: Final = 20.0

_PROGRAM: Final = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
for name in sys.argv[2:]:
    function = library[name]
    function.restype = ctypes.c_char_p
    print(function().decode())
"""
"""Arguments are the library's path and the function that tells its version, if it has one; the output is that."""


@dataclass(frozen=True)
class Probe:
    """What came of loading a library."""

    version: str | None
    """As the library reports it; ``None`` if it does not."""
    problem: str | None
    """Why it does not load; ``None`` if it does."""


def probe(library: Library) -> Probe:
    """Load a library under its loader, for at most 20 s; never raises for what the library does."""
    try:
        version = VENDOR[library.name].version
        arguments = ("-c", _PROGRAM, str(library.path), *((version,) if version else ()))
        command, environment = python_command(library, arguments)
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except InputError as problem:
        return Probe(None, str(problem))
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Probe(None, f"{library.path}: {problem}")
    if ended.returncode:
        lines = ended.stderr.strip().splitlines()
        return Probe(None, lines[-1] if lines else f"{library.path}: exit status {ended.returncode}")
    return Probe(ended.stdout.strip() or None, None)
