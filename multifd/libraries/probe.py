"""Proof that a library loads and has the functions that QEMU calls, and the version that it reports itself.

It happens in a process of its own, under the loader that the library needs: a library that crashes while it is loaded
ends that process only. libqpl has ``qpl_get_library_version`` (``qpl/c_api/version.h``, qpl 1.9.0). libqatzip declares
``qzGetSoftwareComponentVersionList`` (``qatzip.h``, QATzip 2.0.0), but it answers QZ_FAIL (-2), "don't support".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from multifd.accelerator import VENDOR
from multifd.errors import EnvironmentBroke, InputError
from multifd.libraries.find import Library, python_command
from multifd.libraries.release import CALLED
from multifd.process.child import fate
from multifd.process.run import run

_SECONDS: Final = 20.0

_PROGRAM: Final = """
import ctypes, sys
path, called, *told = sys.argv[1:]
library = ctypes.CDLL(path)
lacking = [name for name in called.split(",") if not hasattr(library, name)]
if lacking:
    sys.exit(f"{path}: lacks {', '.join(lacking)}, which QEMU calls")
for name in told:
    function = library[name]
    function.restype = ctypes.c_char_p
    print(function().decode())
"""
"""Arguments are the library's path, the functions that it must have, and that which tells its version, if it has one;
the output is that. What is looked up is found in what it is linked to as well (dlsym(3))."""


@dataclass(frozen=True)
class Probe:
    """What came of loading a library."""

    version: str | None
    """As the library reports it; ``None`` if it does not."""
    problem: str | None
    """Why it does not load; ``None`` if it does."""


def probe(library: Library) -> Probe:
    """Load a library under its loader; 20 s are its deadline. Never raises for what the library does."""
    try:
        version = VENDOR[library.name].version
        arguments = (
            "-c",
            _PROGRAM,
            str(library.path),
            ",".join(CALLED[library.name]),
            *((version,) if version else ()),
        )
        command, environment = python_command(library, arguments)
        ended = run(command, environment, _SECONDS)
    except InputError as problem:
        return Probe(None, str(problem))
    except EnvironmentBroke as problem:
        return Probe(None, f"{library.path}: {problem}")
    if ended.stopped == "hung":
        return Probe(None, f"{library.path}: did not load {ended.within}")
    if ended.status:
        lines = ended.log.decode(errors="replace").strip().splitlines()
        return Probe(None, lines[-1] if lines else f"{library.path}: {fate(ended.status)}")
    return Probe(ended.output.decode(errors="replace").strip() or None, None)
