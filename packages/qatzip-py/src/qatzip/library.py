"""Find libqatzip, check it, quieten it; once per process and only when something is first asked of it.

Search order: the path given to :func:`load`; the environment variable ``QATZIP_LIBRARY``; the dynamic loader's own
places; ``/usr/local/lib`` and ``/usr/local/lib64``, where a build from source installs. A path that was named is
the only candidate: falling back from it would run a library that nobody asked for.

Calls go through :class:`ctypes.CDLL`, which releases the GIL for their duration.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

from qatzip.abi import PROTOTYPES, LogLevel
from qatzip.errors import LayoutError, LibraryNotFoundError
from qatzip.layout import check_layout

ENVIRONMENT_VARIABLE = "QATZIP_LIBRARY"
SONAMES = ("libqatzip.so.3", "libqatzip.so")
BUILT_FROM_SOURCE = ("/usr/local/lib", "/usr/local/lib64")

_loaded: ctypes.CDLL | None = None
_loading = threading.Lock()


def candidates(path: str | os.PathLike[str] | None = None) -> tuple[str, ...]:
    """Names to give to the dynamic loader, in order."""
    if named := path or os.environ.get(ENVIRONMENT_VARIABLE):
        return (os.fspath(named),)
    return SONAMES + tuple(str(Path(folder) / name) for folder in BUILT_FROM_SOURCE for name in SONAMES)


def _open(path: str | os.PathLike[str] | None) -> ctypes.CDLL:
    searched = []
    for name in candidates(path):
        try:
            return ctypes.CDLL(name)
        except OSError as answer:
            searched.append((name, str(answer)))
    raise LibraryNotFoundError(searched)


def _declare(library: ctypes.CDLL) -> None:
    for name, (result, arguments) in PROTOTYPES.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise LayoutError(f"{name}()", "missing", "a function of libqatzip 2.0") from None
        function.restype = result
        function.argtypes = arguments


def load(path: str | os.PathLike[str] | None = None) -> ctypes.CDLL:
    """Load libqatzip for this process, or return the one that is loaded already.

    The log level becomes ``NONE``: without a device libqatzip 2.0.0 prints two lines per call on standard error,
    and a process whose standard error is a pipe that nobody reads stops for ever once the pipe is full.

    Raises :class:`LibraryNotFoundError` or :class:`LayoutError`, and :class:`ValueError` for a ``path`` when
    another library is loaded: one process holds one libqatzip.
    """
    global _loaded  # noqa: PLW0603  (the library is process-wide state itself)
    with _loading:
        if _loaded is None:
            library = _open(path)
            _declare(library)
            check_layout(library.qzGetDefaultsDeflate, library.qzGetDefaultsDeflateExt)
            library.qzSetLogLevel(LogLevel.NONE)
            _loaded = library
        elif path is not None and _loaded._name != os.fspath(path):
            raise ValueError(f"path is {os.fspath(path)!r}, expected {_loaded._name!r}, which is loaded already")
        return _loaded


def set_log_level(level: LogLevel) -> LogLevel:
    """How much the library prints (process-wide); returns the level before. ``qzSetLogLevel``."""
    return LogLevel(load().qzSetLogLevel(level))
