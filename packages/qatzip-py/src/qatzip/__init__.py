"""Intel QATzip (libqatzip) for Python: DEFLATE on QuickAssist devices, or in software where there is none.

One-shot functions like those of :mod:`zlib`, sessions under the caller's control, and the streaming API; over ctypes,
without a build step. Importing needs no library; the first call does, and raises :class:`LibraryNotFoundError`.
"""

from qatzip.abi import LogLevel
from qatzip.errors import (
    LayoutError,
    LibraryNotFoundError,
    MissingFunctionError,
    OverrunError,
    QatzipError,
    ShortOutputError,
    UnconsumedInputError,
)
from qatzip.instances import Instances
from qatzip.library import lacking, load, release, set_log_level
from qatzip.oneshot import compress, compress_into, decompress, decompress_into, max_compressed_length
from qatzip.parameters import FORMATS, Parameters, formats
from qatzip.release import Release
from qatzip.session import Session
from qatzip.status import Status
from qatzip.stream import Stream

__version__ = "0.2.0"

__all__ = [
    "FORMATS",
    "Instances",
    "LayoutError",
    "LibraryNotFoundError",
    "LogLevel",
    "MissingFunctionError",
    "OverrunError",
    "Parameters",
    "QatzipError",
    "Release",
    "Session",
    "ShortOutputError",
    "Status",
    "Stream",
    "UnconsumedInputError",
    "compress",
    "compress_into",
    "decompress",
    "decompress_into",
    "formats",
    "lacking",
    "load",
    "max_compressed_length",
    "release",
    "set_log_level",
]
