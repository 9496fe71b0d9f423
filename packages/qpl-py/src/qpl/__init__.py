"""Intel Query Processing Library (libqpl) for Python: DEFLATE on the In-Memory Analytics Accelerator, or in software.

>>> import qpl
>>> page = bytes(4096)
>>> qpl.decompress(qpl.compress(page), size=4096) == page       # doctest: +SKIP
True

The library is loaded by the first call that needs it (:mod:`qpl.library`), and its job structure is tried out before
the first real call (:mod:`qpl.layout`). The window is 4096 bytes, in both directions: a raw stream from another encoder
is readable only if no distance is longer (status 217).
"""

from qpl.errors import (
    ArchiveHeaderError,
    BadDistanceError,
    Error,
    InitialisationError,
    LayoutError,
    LibraryNotFoundError,
    MoreInputNeededError,
    MoreOutputNeededError,
    NotContinuableError,
    NotSubmittedError,
    NumaError,
    PageFaultError,
    QplError,
    QueuesAreBusyError,
    ReferenceBeforeStartError,
    ShortOutputError,
    StoredLengthError,
    TransferSizeError,
    UnsafeInputError,
    UnsupportedLevelError,
)
from qpl.header import Flag, Numa
from qpl.job import Format, Huffman, Job, Level, PathName
from qpl.library import load, version
from qpl.oneshot import compress, compress_bound, compress_into, decompress, decompress_into
from qpl.status import STATUS_NAMES

WINDOW = 4096
__version__ = "0.2.0"

__all__ = [
    "STATUS_NAMES",
    "WINDOW",
    "ArchiveHeaderError",
    "BadDistanceError",
    "Error",
    "Flag",
    "Format",
    "Huffman",
    "InitialisationError",
    "Job",
    "LayoutError",
    "Level",
    "LibraryNotFoundError",
    "MoreInputNeededError",
    "MoreOutputNeededError",
    "NotContinuableError",
    "NotSubmittedError",
    "Numa",
    "NumaError",
    "PageFaultError",
    "PathName",
    "QplError",
    "QueuesAreBusyError",
    "ReferenceBeforeStartError",
    "ShortOutputError",
    "StoredLengthError",
    "TransferSizeError",
    "UnsafeInputError",
    "UnsupportedLevelError",
    "compress",
    "compress_bound",
    "compress_into",
    "decompress",
    "decompress_into",
    "load",
    "version",
]
