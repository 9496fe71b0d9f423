"""Which release of QATzip a loaded library is: no function tells, so its file and its functions must.

``qzGetSoftwareComponentVersionList`` is declared and answers ``QZ_FAIL``. But libtool names the file after the
interface, which every release but a few raised (``LIBQATZIP_VERSION``, ``configure.ac``, QATzip 1.0.6 to 1.3.1; the
file of 2.0.0 is that of Debian's package):

===============  ==================
file             releases
===============  ==================
libqatzip.so.3   .0.0 1.0.6 to 1.1.0, .0.1 1.1.1, .0.2 1.1.2, .0.3 1.2.0 and 1.2.1, .2.0 1.3.0 and 1.3.1, .3.0 2.0.0
===============  ==================

A file of another name is placed by functions that came with a release, exported because nothing hides them.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path

_FILES = {"3.0.1": "1.1.1", "3.0.2": "1.1.2", "3.0.3": "1.2", "3.2.0": "1.3", "3.3.0": "2.0.0"}
"""Release by what follows ``libqatzip.so.``; where several have the same, what they have in common."""

_FUNCTIONS = (("qzSetupSessionZstd", "2.0"), ("qzSetupSessionDeflateExt", "1.3"), ("decompBufferSetup", "1.2"))
"""Functions by the series that brought them, newest first."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release, or the series to which it belongs; ``str`` is how a person writes it."""

    text: str
    """``1.3.1``, ``1.3`` for either of that series, empty for unknown."""
    file: str
    """The library's own file, links resolved."""

    def __str__(self) -> str:
        return self.text or "of unknown release"

    @property
    def numbers(self) -> tuple[int, ...]:
        """For comparison; empty for unknown."""
        return tuple(map(int, self.text.split("."))) if self.text else ()


def release_of(library: ctypes.CDLL) -> Release:
    """Of a loaded library."""
    file = _file(library)
    named = re.search(r"\.so\.(\d+\.\d+\.\d+)$", file)
    text = _FILES.get(named[1], "") if named else ""
    return Release(text or _by_functions(library), file)


def _by_functions(library: ctypes.CDLL) -> str:
    return next((series for function, series in _FUNCTIONS if hasattr(library, function)), "1.1")


class _Found(ctypes.Structure):
    """``Dl_info`` of ``dladdr`` (3)."""

    _fields_ = (
        ("dli_fname", ctypes.c_char_p),
        ("dli_fbase", ctypes.c_void_p),
        ("dli_sname", ctypes.c_char_p),
        ("dli_saddr", ctypes.c_void_p),
    )


def _file(library: ctypes.CDLL) -> str:
    """Where the loader found it; ``dladdr`` (3) tells of any function."""
    found = _Found()
    address = ctypes.cast(library.qzInit, ctypes.c_void_p) if hasattr(library, "qzInit") else None
    if address is None or not ctypes.CDLL(None).dladdr(address, ctypes.byref(found)) or found.dli_fname is None:
        return str(library._name)
    return str(Path(found.dli_fname.decode()).resolve())
