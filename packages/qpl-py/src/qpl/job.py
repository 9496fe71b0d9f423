"""A job under the caller's control: reused, streamed through, or submitted to the accelerator and waited for.

What libqpl 1.9.0 does with a job that is used again, and what this class therefore leaves to its user:

* fixed Huffman: the compressed bytes depend on what the job did before. They decode all the same.
* ZLIB mode: from the second compression on the Adler-32 in the trailer is wrong, because it goes on from the first
  one's. Every decoder but libqpl refuses that. Call :meth:`Job.reset` between two of them.
* any mode: success does not say that the output is complete (:class:`~qpl.errors.ShortOutputError`). Nor does it for
  compression in ZLIB and GZIP mode: where ``dst`` has no room for header or trailer they are left out.

Where the library would leave the caller's memory, this class does not let it: see :mod:`qpl.transfer`.

A stream takes several calls, the first with ``first=True``, the final one with ``last=True``, the others with neither.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias, TypeVar

from qpl.errors import NumaError, check
from qpl.header import Flag, Numa, Operation, Path
from qpl.layout import checked_library
from qpl.library import version
from qpl.native import NativeJob
from qpl.transfer import Transfer

Format: TypeAlias = Literal["raw", "zlib", "gzip"]
Level: TypeAlias = Literal["default", "high"] | int
Huffman: TypeAlias = Literal["fixed", "dynamic"]
PathName: TypeAlias = Literal["auto", "hardware", "software"]

FORMATS: Final = {"raw": Flag(0), "zlib": Flag.ZLIB_MODE, "gzip": Flag.GZIP_MODE}
HUFFMAN: Final = {"fixed": Flag(0), "dynamic": Flag.DYNAMIC_HUFFMAN}
LEVELS: Final = {"default": 1, "high": 3}
PATHS: Final = {"auto": Path.AUTO, "hardware": Path.HARDWARE, "software": Path.SOFTWARE}

NO_FLAGS: Final = Flag(0)
_NUMA_POLICIES: Final = (1, 6)
"""The release with which :class:`~qpl.header.Numa` has more than its default."""
_BEING_PROCESSED: Final = 1
_NOT_SUBMITTED: Final = 7


_Value = TypeVar("_Value")


def _choose(table: dict[str, _Value], name: str, value: object) -> _Value:
    if isinstance(value, str) and value in table:
        return table[value]
    raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, table))}")


class Job:
    """One job of libqpl, for one thread at a time.

    ``path``: ``software`` the library's own code on this CPU; ``hardware`` the accelerator or an error; ``auto`` the
    accelerator where there is one, else quietly software (:attr:`path` says which the library chose).

    Raises :class:`~qpl.errors.LibraryNotFoundError`, :class:`~qpl.errors.LayoutError`, and
    :class:`~qpl.errors.InitialisationError` where ``hardware`` cannot be had. A job that two threads use at once
    raises ``RuntimeError``, a closed one ``ValueError``.

    ``numa_id``: which accelerators it may go to, a node's number or one of :class:`~qpl.header.Numa`. The library's
    default keeps to the socket of the calling thread: with none there, submitting fails with status 503, wherever else
    there are some (``hw_enqueue_descriptor``, ``enqueue.cpp``, qpl 1.6.0). Raises :class:`~qpl.errors.NumaError` for
    what a library before 1.6.0 does not know.
    """

    def __init__(self, path: PathName = "software", numa_id: int = Numa.SOCKET) -> None:
        self._native: NativeJob | None = None
        self._pending: Transfer | None = None
        self._produced_before = 0
        self._lock: Final = threading.Lock()
        library = checked_library()
        if numa_id < Numa.ANY:
            raise ValueError(f"numa_id is {numa_id}, expected a node's number or {', '.join(map(str, map(int, Numa)))}")
        if numa_id < Numa.SOCKET and _series(version()) < _NUMA_POLICIES:
            raise NumaError(numa_id, version())
        self._native = NativeJob(library, _choose(PATHS, "path", path), numa_id)

    def compress_into(
        self,
        data: Any,
        dst: Any,
        *,
        format: Format = "raw",  # noqa: A002  (the word of gzip, zlib and QATzip's users)
        level: Level = "default",
        huffman: Huffman = "fixed",
        verify: bool = False,
        first: bool = True,
        last: bool = True,
        flags: Flag = NO_FLAGS,
    ) -> int:
        """Compress ``data`` into ``dst``; return the bytes written. Neither is copied.

        ``level`` 1 (``default``) or 3 (``high``, software only). ``verify`` lets the library decompress what it wrote
        and compare, which QEMU omits (``migration/multifd-qpl.c``, QEMU 10.2) and which in software fails by itself,
        with status 229, for more than 32,768 compressible bytes. ``flags`` are added as they are.

        Raises :class:`~qpl.errors.MoreOutputNeededError` where ``dst`` is too small, and any other
        :class:`~qpl.errors.QplError`.
        """
        options = self._compression(format, level, huffman, verify, first, last, flags)
        with self._exclusive() as native:
            self._begin(native, data, dst, *options)
            return self._end(native, native.call("qpl_execute_job"), "qpl_execute_job")

    def decompress_into(
        self,
        data: Any,
        dst: Any,
        *,
        format: Format = "raw",  # noqa: A002
        first: bool = True,
        last: bool = True,
        flags: Flag = NO_FLAGS,
    ) -> int:
        """Decompress ``data`` into ``dst``; return the bytes written, which the caller must compare with the expected.

        Raises :class:`~qpl.errors.MoreOutputNeededError` where ``dst`` is too small,
        :class:`~qpl.errors.BadDistanceError` beyond a window of 4096 bytes, and any other
        :class:`~qpl.errors.QplError`. The trailers of zlib and gzip are skipped, not verified: compare :attr:`crc`.
        """
        options = self._decompression(format, first, last, flags)
        with self._exclusive() as native:
            self._begin(native, data, dst, *options)
            return self._end(native, native.call("qpl_execute_job"), "qpl_execute_job")

    def submit_compress(
        self,
        data: Any,
        dst: Any,
        *,
        format: Format = "raw",  # noqa: A002
        level: Level = "default",
        huffman: Huffman = "fixed",
        verify: bool = False,
        first: bool = True,
        last: bool = True,
        flags: Flag = NO_FLAGS,
    ) -> None:
        """As :meth:`compress_into`, without waiting: :meth:`wait` or :meth:`check` tell the result.

        ``data`` and ``dst`` are kept in place until then and must not be touched. On the software path the work is
        done, and its errors are raised, before this returns.
        Raises :class:`~qpl.errors.QueuesAreBusyError` where the accelerator takes no more: submit again.
        """
        self._submit(data, dst, self._compression(format, level, huffman, verify, first, last, flags))

    def submit_decompress(
        self,
        data: Any,
        dst: Any,
        *,
        format: Format = "raw",  # noqa: A002
        first: bool = True,
        last: bool = True,
        flags: Flag = NO_FLAGS,
    ) -> None:
        """As :meth:`decompress_into`, without waiting; see :meth:`submit_compress`."""
        self._submit(data, dst, self._decompression(format, first, last, flags))

    def wait(self) -> int:
        """The bytes that the submitted operation wrote, once it has ended.

        Raises its :class:`~qpl.errors.QplError`; :class:`~qpl.errors.NotSubmittedError` if there is none.
        """
        with self._exclusive() as native:
            self._require_pending("qpl_wait_job")
            return self._end(native, native.call("qpl_wait_job"), "qpl_wait_job")

    def check(self) -> int | None:
        """As :meth:`wait`, but ``None`` at once while the operation still runs."""
        with self._exclusive() as native:
            self._require_pending("qpl_check_job")
            status = native.call("qpl_check_job")
            return None if status == _BEING_PROCESSED else self._end(native, status, "qpl_check_job")

    def reset(self) -> None:
        """Initialise the job again (12 µs): nothing that it did before has an influence any more."""
        with self._exclusive() as native:
            self._drain(native)
            native.reset()

    def close(self) -> None:
        """Wait for what is submitted, then give the job back. Further calls do nothing."""
        native = self._native
        if native is not None:
            self._drain(native)
            native.call("qpl_fini_job")
            self._native = None

    @property
    def path(self) -> PathName:
        """The path that the library chose when the job was initialised (``data_ptr.path``).

        ``software`` for a job opened with ``auto``: no accelerator was found. ``auto``: one was, and single operations
        may still fall back to software, which the library does not tell: read the device's counters.
        """
        chosen = Path(self._open().fields.data_ptr.path)
        return next(name for name in ("auto", "hardware", "software") if PATHS[name] is chosen)

    @property
    def total_in(self) -> int:
        """Bytes read since ``first``; not updated by a call that failed."""
        return self._open().fields.total_in

    @property
    def total_out(self) -> int:
        """Bytes written since ``first``; not updated by a call that failed."""
        return self._open().fields.total_out

    @property
    def crc(self) -> int:
        """CRC-32 of the uncompressed bytes since ``first`` (gzip's polynomial; with ``Flag.CRC32C`` iSCSI's).

        After decompression in ZLIB mode it is neither that nor the Adler-32.
        """
        return self._open().fields.crc

    def __enter__(self) -> Job:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    @staticmethod
    def _compression(
        container: Format, level: Level, huffman: Huffman, verify: bool, first: bool, last: bool, flags: Flag
    ) -> tuple[Operation, int, Flag]:
        number = level if isinstance(level, int) else _choose(LEVELS, "level", level)
        chosen = _choose(FORMATS, "format", container) | _choose(HUFFMAN, "huffman", huffman)
        verification = Flag(0) if verify else Flag.OMIT_VERIFY
        return Operation.COMPRESS, number, _position(first, last) | chosen | verification | flags

    @staticmethod
    def _decompression(container: Format, first: bool, last: bool, flags: Flag) -> tuple[Operation, int, Flag]:
        return Operation.DECOMPRESS, 0, _position(first, last) | _choose(FORMATS, "format", container) | flags

    def _submit(self, data: Any, dst: Any, options: tuple[Operation, int, Flag]) -> None:
        with self._exclusive() as native:
            self._begin(native, data, dst, *options)
            status = native.call("qpl_submit_job")
            if status:
                self._end(native, status, "qpl_submit_job")

    def _begin(self, native: NativeJob, data: Any, dst: Any, operation: Operation, level: int, flags: Flag) -> None:
        if self._pending is not None:
            raise RuntimeError("Job has a submitted operation; call wait() first")
        fields = native.fields
        before = 0 if Flag.FIRST in flags else fields.total_out
        transfer = Transfer(operation, flags, data, dst, before)
        fields.next_in_ptr, fields.available_in = transfer.source.address, transfer.source.size
        fields.next_out_ptr, fields.available_out = transfer.output, transfer.target.size
        fields.op, fields.level, fields.flags = operation, level, flags
        self._produced_before = before
        self._pending = transfer

    def _end(self, native: NativeJob, status: int, call: str) -> int:
        produced = native.fields.total_out - self._produced_before
        if self._pending is not None and not status:
            self._pending.deliver(produced)
        self._release()
        check(status, call)
        return produced

    def _drain(self, native: NativeJob) -> None:
        if self._pending is not None:
            native.call("qpl_wait_job")
            self._release()

    def _release(self) -> None:
        if self._pending is not None:
            self._pending.release()
            self._pending = None

    def _require_pending(self, call: str) -> None:
        if self._pending is None:
            check(_NOT_SUBMITTED, call)

    def _open(self) -> NativeJob:
        if self._native is None:
            raise ValueError("Job is closed")
        return self._native

    @contextmanager
    def _exclusive(self) -> Iterator[NativeJob]:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("Job is in use by another thread; use one job per thread")
        try:
            yield self._open()
        finally:
            self._lock.release()


def _series(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".")[:2] if number.isdigit())


def _position(first: bool, last: bool) -> Flag:
    return (Flag.FIRST if first else Flag(0)) | (Flag.LAST if last else Flag(0))
