"""Every error of this package.

::

    Error
    ├── LibraryNotFoundError        no libqpl, or one that this interpreter cannot load
    ├── LayoutError                 a libqpl whose job structure is not the one that this package knows
    ├── NumaError                   a choice of accelerators that came with a later libqpl
    ├── UnsafeInputError            input that makes libqpl read beyond it; refused before the call
    ├── ShortOutputError            QPL_STS_OK, yet fewer bytes than announced
    └── QplError                    any other status, with the library's own name
        ├── MoreOutputNeededError   2     the destination is too small
        ├── ...
        ├── PageFaultError          303, 431
        └── InitialisationError     500 to 503

Wrong arguments are ``TypeError`` and ``ValueError``, raised before the library is called.
"""

from __future__ import annotations

from typing import Final

from qpl.status import STATUS_NAMES


class Error(Exception):
    """Base of all errors that this package raises on purpose, wrong arguments apart."""


class LibraryNotFoundError(Error):
    """No libqpl could be loaded; the text says what was searched and how to provide it."""


class LayoutError(Error):
    """The loaded library does not work with ``qpl_job`` as the header of 1.9.0 lays it out."""

    def __init__(self, field: str, value: object, expected: object) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        super().__init__(f"libqpl: {field} is {value!r}, expected {expected!r}: refusing to use this library")


class NumaError(Error):
    """The loaded library takes this ``numa_id`` for a node's number, and finds no such node."""

    def __init__(self, numa_id: int, version: str) -> None:
        self.numa_id = numa_id
        super().__init__(f"libqpl {version}: numa_id is {numa_id}, expected -1 or a node's number before libqpl 1.6.0")


class UnsafeInputError(Error):
    """The gzip member is too short: libqpl 1.9.0 would read beyond it, so it was not called (see ``qpl.member``)."""

    def __init__(self, size: int, needed: int) -> None:
        self.size = size
        self.needed = needed
        super().__init__(f"data is {size} bytes, expected at least {needed} of a gzip member: libqpl would read beyond")


class ShortOutputError(Error):
    """The library reported success, but wrote fewer bytes than the caller knows there must be.

    libqpl 1.9.0, software path, reports truncated input this way, and any error in the data after the first 64 KiB
    of output.
    """

    def __init__(self, produced: int, expected: int) -> None:
        self.produced = produced
        self.expected = expected
        super().__init__(
            f"libqpl: QPL_STS_OK after {produced} bytes, expected {expected}: the input is truncated or corrupt"
        )


class QplError(Error):
    """The library returned ``status``; ``name`` is its name in ``qpl/c_api/status.h`` (qpl 1.9.0)."""

    def __init__(self, status: int, call: str) -> None:
        self.status = status
        self.name = STATUS_NAMES.get(status, "not in status.h")
        self.call = call
        super().__init__(f"{call}: status {status} ({self.name})")


class MoreOutputNeededError(QplError):
    """2: the destination is too small. A sender of pages takes it as "send this page uncompressed"."""


class MoreInputNeededError(QplError):
    """3: the input ended inside the stream."""


class NotContinuableError(QplError):
    """4: a job that is not FIRST follows one that was LAST."""


class QueuesAreBusyError(QplError):
    """5: every work queue of the accelerator is full; submit again later."""


class NotSubmittedError(QplError):
    """7: waiting for, or checking, a job that was not submitted."""


class UnsupportedLevelError(QplError):
    """87: levels other than 1 and 3; on the hardware path also 3."""


class ArchiveHeaderError(QplError):
    """104: the header is not one of zlib's (RFC 1950) or gzip's (RFC 1952)."""


class StoredLengthError(QplError):
    """214: LEN and NLEN of a stored block disagree (RFC 1951, section 3.2.4)."""


class BadDistanceError(QplError):
    """217: a distance of 0 or beyond the window of 4096 bytes."""


class ReferenceBeforeStartError(QplError):
    """218: a distance that reaches before the first byte of the output."""


class TransferSizeError(QplError):
    """319: more bytes than any work queue of the accelerator transfers in one job (2 MiB by default)."""


MEANINGS: Final[dict[int, str]] = {
    500: "no hardware path on this system, or a device whose capabilities this kernel does not tell",
    501: "libaccel-config.so.1 is not found, or too old for the device",
    502: "libaccel-config cannot be started",
    503: "no device with an enabled shared work queue that this process may open, where numa_id looks for one",
}
"""What they mean (``qpl/c_api/status.h``, ``hw_dispatcher.cpp``, ``hw_device.cpp``, ``hw_queue.cpp``, ``enqueue.cpp``,
qpl 1.6.0)."""


class InitialisationError(QplError):
    """500 to 503: no accelerator, no usable work queue, no libaccel-config, or no permission for them."""

    def __init__(self, status: int, call: str) -> None:
        super().__init__(status, call)
        self.meaning = MEANINGS[status]
        self.args = (f"{self.args[0]}: {self.meaning}",)


class PageFaultError(QplError):
    """303 and 431: the accelerator met memory that is not resident, and again after libqpl had touched it once.

    It does so where the work queue has ``block_on_fault`` 0. Touch source and destination, and submit again.
    """


ERRORS: Final[dict[int, type[QplError]]] = {
    2: MoreOutputNeededError,
    3: MoreInputNeededError,
    4: NotContinuableError,
    5: QueuesAreBusyError,
    7: NotSubmittedError,
    87: UnsupportedLevelError,
    104: ArchiveHeaderError,
    214: StoredLengthError,
    217: BadDistanceError,
    218: ReferenceBeforeStartError,
    303: PageFaultError,
    319: TransferSizeError,
    431: PageFaultError,
    500: InitialisationError,
    501: InitialisationError,
    502: InitialisationError,
    503: InitialisationError,
}


def check(status: int, call: str) -> None:
    """Raise the exception that belongs to a status other than 0 (``QPL_STS_OK``)."""
    if status:
        raise ERRORS.get(status, QplError)(status, call)
