"""Every error of this package.

::

    LibraryNotFoundError     libqatzip cannot be loaded
    LayoutError              the loaded library has other structures than this package
    └── MissingFunctionError ... or is too old for what was asked of it
    QatzipError              a call of the library failed; carries the library's own code and name
    ├── OverrunError         ... it claimed success, with more output than the destination holds
    ├── ShortOutputError     ... it claimed success, with less output than was asked for
    └── UnconsumedInputError ... it claimed success, and left input behind
"""

from __future__ import annotations

from collections.abc import Sequence

from qatzip.abi import MEANINGS, RETURN_CODES
from qatzip.release import Release

HOW_TO_INSTALL = (
    "Install your distribution's package (Debian: libqatzip3, Fedora and RHEL: qatzip-libs) or build"
    " https://github.com/intel/QATzip; a file elsewhere is named by the environment variable QATZIP_LIBRARY"
    " or by qatzip.load(path)"
)


_STARTING = ("qzInit", "qzSetupSessionDeflate", "qzSetupSessionDeflateExt")
"""Calls whose codes say why there is no device."""


class LibraryNotFoundError(OSError):
    """libqatzip cannot be loaded; ``searched`` pairs each place with the loader's answer."""

    def __init__(self, searched: Sequence[tuple[str, str]]) -> None:
        self.searched = tuple(searched)
        places = "; ".join(f"{place}: {answer}" for place, answer in searched)
        super().__init__(f"libqatzip cannot be loaded. Searched: {places}. {HOW_TO_INSTALL}")


class LayoutError(RuntimeError):
    """The loaded libqatzip is not laid out like the header that this package follows.

    Nothing was called with a structure of ours: memory is intact, and the library is not used.
    """

    def __init__(self, field: str, value: object, expected: object) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        super().__init__(f"libqatzip: {field} is {value}, expected {expected}: this library has another layout")


class MissingFunctionError(LayoutError):
    """The loaded libqatzip is older than the function that is needed. The library is used for all else, if there is."""

    def __init__(self, release: Release, function: str, since: str) -> None:
        self.release = release
        self.function = function
        self.since = since
        RuntimeError.__init__(
            self,
            f"libqatzip {release} ({release.file}) has no {function}(): expected libqatzip {since} or newer",
        )


class QatzipError(Exception):
    """A call failed. ``code`` and ``name`` are the library's (``qatzip.h``, QATzip 2.0.0), ``call`` is the C function.

    ``consumed`` and ``produced`` are the byte counts that the library left behind, 0 where it has none.
    """

    def __init__(self, call: str, code: int, *, consumed: int = 0, produced: int = 0, detail: str = "") -> None:
        self.call = call
        self.code = code
        self.name = RETURN_CODES.get(code, "unknown")
        self.consumed = consumed
        self.produced = produced
        meaning = MEANINGS.get(code) or MEANINGS.get(-code - 90) if call in _STARTING else None
        super().__init__(f"{call}: {self.name} ({code}){f': {meaning}' if meaning else ''}{detail}")


class OverrunError(QatzipError):
    """The library reported success and more bytes than the destination holds.

    libqatzip 2.0.0 does so, and writes them, for the format ``4B`` with a destination one to three bytes short.
    This package gave it a private buffer: the destination is untouched.
    """

    def __init__(self, call: str, consumed: int, produced: int, size: int) -> None:
        detail = f" with {produced} bytes for a destination of {size}"
        super().__init__(call, 0, consumed=consumed, produced=produced, detail=detail)


class ShortOutputError(QatzipError):
    """Decompression reported success with fewer bytes than the caller knows there must be (truncated input)."""

    def __init__(self, call: str, consumed: int, produced: int, expected: int) -> None:
        self.expected = expected
        detail = f" with {produced} bytes, expected {expected}"
        super().__init__(call, 0, consumed=consumed, produced=produced, detail=detail)


class UnconsumedInputError(QatzipError):
    """Decompression reported success without reading all of its input (more data than the size announced)."""

    def __init__(self, call: str, consumed: int, produced: int, available: int) -> None:
        self.available = available
        detail = f" after {consumed} bytes of input, expected {available}"
        super().__init__(call, 0, consumed=consumed, produced=produced, detail=detail)
