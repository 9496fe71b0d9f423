"""Find libqatzip, check it, quieten it; once per process and only when something is first asked of it.

Search order: the path given to :func:`load`; the environment variable ``QATZIP_LIBRARY``; the dynamic loader's own
places; ``/usr/local/lib`` and ``/usr/local/lib64``, where a build from source installs. A path that was named is
the only candidate: falling back from it would run a library that nobody asked for.

Releases 1.1.2 to 2.0.0 are used as far as they go: :func:`lacking` says what one does not have. Calls go through
:class:`ctypes.CDLL`, which releases the GIL for their duration.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

from qatzip.abi import OLDEST, PROTOTYPES, SINCE, LogLevel
from qatzip.errors import LibraryNotFoundError, MissingFunctionError
from qatzip.layout import check_layout
from qatzip.release import Release, release_of

ENVIRONMENT_VARIABLE = "QATZIP_LIBRARY"
SONAMES = ("libqatzip.so.3", "libqatzip.so")
BUILT_FROM_SOURCE = ("/usr/local/lib", "/usr/local/lib64")

_loaded: ctypes.CDLL | None = None
_lacking: frozenset[str] = frozenset()
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


def _declare(library: ctypes.CDLL) -> frozenset[str]:
    """Functions that it lacks and can be used without."""
    missing = {name for name in PROTOTYPES if not hasattr(library, name)}
    for name in sorted(missing - SINCE.keys()):
        raise MissingFunctionError(release_of(library), name, OLDEST)
    for name in PROTOTYPES.keys() - missing:
        function = getattr(library, name)
        function.restype, function.argtypes = PROTOTYPES[name]
    return frozenset(missing)


def load(path: str | os.PathLike[str] | None = None) -> ctypes.CDLL:
    """Load libqatzip for this process, or return the one that is loaded already.

    The log level becomes ``NONE``: without a device libqatzip 2.0.0 prints two lines per call on standard error,
    and a process whose standard error is a pipe that nobody reads stops for ever once the pipe is full. Releases
    before 1.3.0 have no such level; they print where a device is looked for, and not with each call.

    Raises :class:`LibraryNotFoundError`, :class:`~qatzip.errors.LayoutError` or its :class:`MissingFunctionError`, and
    :class:`ValueError` for a ``path`` when another library is loaded: one process holds one libqatzip.
    """
    global _loaded, _lacking
    with _loading:
        if _loaded is None:
            library = _open(path)
            missing = _declare(library)
            check_layout(library.qzGetDefaultsDeflate, getattr(library, "qzGetDefaultsDeflateExt", None))
            if "qzSetLogLevel" not in missing:
                library.qzSetLogLevel(LogLevel.NONE)
            _loaded, _lacking = library, missing
        elif path is not None and _loaded._name != os.fspath(path):
            raise ValueError(f"path is {os.fspath(path)!r}, expected {_loaded._name!r}, which is loaded already")
        return _loaded


def lacking() -> frozenset[str]:
    """Functions of :data:`qatzip.abi.SINCE` that the loaded library does not have. Raises as :func:`load`."""
    load()
    return _lacking


def release() -> Release:
    """What release the loaded library is, as far as that can be known. Raises as :func:`load`."""
    return release_of(load())


def require(function: str) -> None:
    """Raise :class:`MissingFunctionError` if the loaded library does not have it."""
    if function in lacking():
        raise MissingFunctionError(release(), function, SINCE[function])


def set_log_level(level: LogLevel) -> LogLevel:
    """How much the library prints (process-wide); returns the level before. ``qzSetLogLevel``.

    Raises :class:`MissingFunctionError` before 1.3.0.
    """
    require("qzSetLogLevel")
    return LogLevel(load().qzSetLogLevel(level))
