"""Find and load libqpl, once, when it is first needed.

Searched in this order; the first that loads is taken, and what was tried is in the error's text:

1. the environment variable ``QPL_LIBRARY`` (nothing else is searched then: who names a file means that file),
2. the loader: ``LD_LIBRARY_PATH``, the loader's cache, the system's directories,
3. ``/usr/local/lib64`` and ``/usr/local/lib``, where a build from source installs and many loaders do not look.

``load(path)`` names a file and must precede the first call.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from typing import Final

from qpl.errors import LayoutError, LibraryNotFoundError

VARIABLE: Final = "QPL_LIBRARY"
SONAME: Final = "libqpl.so.1"
DIRECTORIES: Final = ("/usr/local/lib64", "/usr/local/lib")
REMEDY: Final = (
    "install it (Debian and Ubuntu: apt install libqpl1; from source: https://github.com/intel/qpl)"
    f" or name the file in {VARIABLE}"
)

# Every function that returns qpl_status returns an enumeration: unsigned, 32 bits (job.h, qpl 1.9.0).
_FUNCTIONS: Final = (
    ("qpl_get_job_size", ctypes.c_uint32, (ctypes.c_uint32, ctypes.c_void_p)),
    ("qpl_init_job", ctypes.c_uint32, (ctypes.c_uint32, ctypes.c_void_p)),
    ("qpl_execute_job", ctypes.c_uint32, (ctypes.c_void_p,)),
    ("qpl_submit_job", ctypes.c_uint32, (ctypes.c_void_p,)),
    ("qpl_wait_job", ctypes.c_uint32, (ctypes.c_void_p,)),
    ("qpl_check_job", ctypes.c_uint32, (ctypes.c_void_p,)),
    ("qpl_fini_job", ctypes.c_uint32, (ctypes.c_void_p,)),
    ("qpl_get_library_version", ctypes.c_char_p, ()),
)
_lock: Final = threading.Lock()
_loaded: ctypes.CDLL | None = None


def load(path: str | None = None) -> ctypes.CDLL:
    """The library; loaded by the first call, the same for the rest of the process.

    Raises :class:`LibraryNotFoundError`, or :class:`LayoutError` for a library of another major version or without
    a function of the job API.
    """
    global _loaded  # noqa: PLW0603  (one library per process, as the loader has it)
    with _lock:
        if _loaded is None:
            _loaded = _declare(_open(path))
        return _loaded


def version() -> str:
    """The loaded library's version, as ``1.9.0``."""
    text: bytes = load().qpl_get_library_version()
    return text.decode("ascii")


def _candidates(path: str | None) -> Iterator[str]:
    named = path or os.environ.get(VARIABLE)
    if named:
        yield named
        return
    yield SONAME
    for directory in DIRECTORIES:
        yield f"{directory}/{SONAME}"


def _open(path: str | None) -> ctypes.CDLL:
    tried = []
    for candidate in _candidates(path):
        try:
            return ctypes.CDLL(candidate)
        except OSError as problem:
            tried.append(f"  {candidate}: {problem}")
    raise LibraryNotFoundError("\n".join(["libqpl cannot be loaded; searched:", *tried, REMEDY]))


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    for name, result, arguments in _FUNCTIONS:
        try:
            function = getattr(library, name)
        except AttributeError:
            raise LayoutError(f"function {name}", "missing", "exported") from None
        function.restype = result
        function.argtypes = arguments
    found: bytes = library.qpl_get_library_version()
    if not found.startswith(b"1."):
        raise LayoutError("version", found.decode("ascii", "replace"), "1.x")
    return library
