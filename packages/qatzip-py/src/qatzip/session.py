"""A session under the caller's control: ``qzInit`` … ``qzClose``.

What libqatzip 2.0.0 does, and this class does not hide (``_into`` methods return counts, and counts are all there is):

* a truncated source or a short destination of a decompression is **success with less output**;
* a destination filled to its last byte ends a decompression, and the trailer may not have been reached: damaged data
  that decompresses to more is success with wrong bytes, checksum or not. Only ``consumed`` tells;
* after a "success" that stopped early the decompressor keeps its place in the old data and takes the next source for
  the rest of it; containers with a header mostly stumble (``QZ_DATA_ERROR``), ``raw`` may not;
* after an error it refuses everything that follows with ``QZ_DATA_ERROR``. Only :meth:`Session.reset` ends either;
* a compression into a short destination is ``QZ_FAIL``, not ``QZ_BUF_ERROR``. The session compresses on, but each such
  call after the first leaks a zlib state, some 160 KiB of resident memory, unless the session is reset in between;
* ``raw`` needs one byte more than its output has;
* without a device each ``qzInit``, ``qzCompress`` and ``qzDecompress`` leaves a pthread key behind. After about a
  thousand calls the process has none left: libqatzip goes on, other libraries cannot create theirs.
"""

from __future__ import annotations

import ctypes
import threading
from ctypes import byref
from types import TracebackType
from typing import Any, Literal

from qatzip.abi import EXT_SW_EXECUTION, QZ_NO_HW, QZ_OK, RETURN_CODES, SessionHandle
from qatzip.errors import OverrunError, QatzipError
from qatzip.library import lacking, load, require
from qatzip.memory import LARGEST, PrivateDestination, compressed_source, pinned
from qatzip.parameters import Parameters
from qatzip.status import Status, get_status

Path = Literal["auto", "hardware", "software"]


def _require(call: str, code: int) -> None:
    if code < 0:
        raise QatzipError(call, code)


class Session:
    """One libqatzip session; a context manager.

    Calls of several threads on one session take turns (the library's sessions are not thread safe); threads that
    shall work at the same time need a session each. Every call releases the GIL.

    ``path``: ``software`` the library's own code on this CPU, whatever devices there are; ``hardware`` a device or an
    error; ``auto`` a device where one can be started, else quietly software (:attr:`hardware` says which). With a
    device the library still gives single calls to software, by its own rules.

    The library has no such parameter, and starts a device for the process wherever it can: ``qzInit`` knows 0 and 1 for
    ``sw_backup`` and nothing to be told, a section that nobody configured (``QAT_SECTION_NAME``) keeps only Intel's
    driver package away, and ``QAT_POLICY`` counts only where no ``qatmgr`` runs (``src/qatzip.c``, QATzip 1.1.2 to
    1.3.1; ``qat_mgr_client.c``, ``qat_mgr_lib.c``, qatlib 26.08.0). But every call looks at the session's own
    ``hw_session_stat`` first, and works in software where it is ``QZ_NO_HW``: ``software`` writes that. The process may
    hold an instance of a device all the same; no call of this session reaches it.

    Raises :class:`QatzipError`: ``QZ_NOSW_NO_HW`` without a device and without ``sw_backup``, ``QZ_NO_HW`` for
    ``hardware`` without one, ``QZ_PARAMS`` for parameters that the library refuses;
    :class:`~qatzip.errors.MissingFunctionError` for what the library is too old for; :class:`ValueError` for
    ``software`` without ``sw_backup``, which is refused to decompress since 1.3.0.
    """

    def __init__(self, parameters: Parameters | None = None, path: Path = "auto") -> None:
        self.parameters = parameters or Parameters()
        self.path: Path = path
        if path == "software" and not self.parameters.sw_backup:
            raise ValueError("path is 'software', expected 'auto' or 'hardware' without sw_backup")
        self.ran_in_software = False
        self.read_by_device = 0
        self._library = load()
        self._structure = self.parameters.structure()
        self._turn = threading.Lock()
        self._handle: SessionHandle | None = None
        with self._turn:
            self._set_up()

    def _set_up(self) -> None:
        handle = SessionHandle()
        try:
            _require("qzInit", self._library.qzInit(byref(handle), int(self.parameters.sw_backup)))
            if "qzSetupSessionDeflateExt" in lacking():
                plain = byref(self._structure.deflate_params)
                _require("qzSetupSessionDeflate", self._library.qzSetupSessionDeflate(byref(handle), plain))
            else:
                whole = byref(self._structure)
                _require("qzSetupSessionDeflateExt", self._library.qzSetupSessionDeflateExt(byref(handle), whole))
            if self.path == "hardware" and handle.hw_session_stat != QZ_OK:
                raise QatzipError("qzInit", handle.hw_session_stat)
        except QatzipError:
            self._library.qzTeardownSession(byref(handle))
            self._library.qzClose(byref(handle))
            raise
        if self.path == "software":
            handle.hw_session_stat = QZ_NO_HW
        self._handle = handle

    def _tear_down(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._library.qzTeardownSession(byref(handle))
            self._library.qzClose(byref(handle))

    @property
    def handle(self) -> SessionHandle:
        """The C session. Raises :class:`ValueError` once closed."""
        if self._handle is None:
            raise ValueError("the session is closed")
        return self._handle

    @property
    def state(self) -> str:
        """``hw_session_stat`` by name: ``QZ_OK`` with a device, or why there is none (``QZ_NO_HW``, …)."""
        return RETURN_CODES.get(self.handle.hw_session_stat, "unknown")

    @property
    def hardware(self) -> bool:
        """Whether the session holds a device. It may still use software for single calls.

        ``read_by_device`` and ``ran_in_software`` are the library's word on the last call. The first is what the
        library added to ``total_in``: bytes of input, headers and trailers included, of a call that it took to a device
        (``qzCompressCrcExt``, ``qzDecompressCrcExt``, ``src/qatzip.c``, QATzip 1.1.2 to 1.3.1). Software adds nothing,
        except for the rest of a call that began on a device. The second is true with a device for a call that read
        something, and of it nothing for the device, or for one of which ``QZ_SW_EXECUTION`` says so; without a device
        that bit is all there is, and libqatzip 2.0.0 leaves it clear although everything ran in software.
        """
        return bool(self.handle.hw_session_stat == QZ_OK)

    @property
    def stream_ended(self) -> bool | None:
        """The last decompression saw the end of a stream; None where the library cannot tell (before 1.3.0)."""
        if "qzGetDeflateEndOfStream" in lacking():
            return None
        ended = ctypes.c_ubyte()
        self._library.qzGetDeflateEndOfStream(byref(self.handle), byref(ended))
        return bool(ended.value)

    def status(self) -> Status:
        """``qzGetStatus``. Raises :class:`QatzipError`."""
        with self._turn:
            return get_status(self.handle)

    def max_compressed_length(self, size: int) -> int:
        """Bytes that the compressed form of ``size`` bytes needs at most (``qzMaxCompressedLength``).

        Raises :class:`ValueError` where either number does not fit ``unsigned int``; the library's own answer is 0.
        """
        bound = int(self._library.qzMaxCompressedLength(size, byref(self.handle))) if 0 <= size <= LARGEST else 0
        if bound < size or bound == 0:
            raise ValueError(f"size is {size}, expected 0 to 4 GiB - 1 with room for its compressed form")
        return bound

    def compress_into(self, src: Any, dst: Any, last: bool = True) -> tuple[int, int]:
        """Compress a buffer into another; bytes consumed and produced.

        With ``last=False`` the output ends in a full flush and the next call continues it. In 4B the length in front
        then covers one call's output only, and the pieces do not decompress: that format has whole buffers only.

        Raises :class:`QatzipError` (``QZ_FAIL``: the destination is too short) and :class:`OverrunError`. Never writes
        beyond ``dst``; 4B goes through a private buffer (:mod:`qatzip.memory`).
        """
        return self._compress("qzCompressExt", src, dst, last)

    def compress_crc_into(self, src: Any, dst: Any, last: bool = True, crc: int = 0) -> tuple[int, int, int]:
        """As :meth:`compress_into`, with the CRC-32 of the input, continued from ``crc`` (``qzCompressCrcExt``).

        libqatzip 2.0.0 is right in software for raw, and for gzip and gzip-ext up to ``hw_buff_sz`` bytes; else wrong.
        """
        checksum = ctypes.c_ulong(crc)
        counts = self._compress("qzCompressCrcExt", src, dst, last, checksum)
        return *counts, checksum.value

    def decompress_into(self, src: Any, dst: Any) -> tuple[int, int]:
        """Decompress a buffer into another; bytes consumed and produced.

        Fewer bytes than expected are no error to the library: compare the counts.
        Raises :class:`QatzipError`: ``QZ_DATA_ERROR`` for what is no data of this format, or after an earlier error.
        """
        return self._decompress("qzDecompressExt", src, dst)

    def decompress_crc_into(self, src: Any, dst: Any, crc: int = 0) -> tuple[int, int, int]:
        """As :meth:`decompress_into`, with the CRC-32 of the output, continued from ``crc`` (``qzDecompressCrcExt``).

        libqatzip 2.0.0 leaves ``crc`` as it is in software. Raises :class:`~qatzip.errors.MissingFunctionError` before
        1.3.0.
        """
        require("qzDecompressCrcExt")
        checksum = ctypes.c_ulong(crc)
        counts = self._decompress("qzDecompressCrcExt", src, dst, checksum)
        return *counts, checksum.value

    def _compress(self, call: str, src: Any, dst: Any, last: bool, *checksum: Any) -> tuple[int, int]:
        with pinned(src) as source, pinned(dst, writable=True) as (address, size), self._turn:
            tail = (int(last), *map(byref, checksum))
            if self.parameters.format != "4B":
                return self._call(call, source, (address, size), *tail)
            private = PrivateDestination(size)
            consumed, produced = self._call(call, source, (private.address, size), *tail)
            if produced > size:
                raise OverrunError(call, consumed, produced, size)
            private.hand_over(address, produced)
            return consumed, produced

    def _decompress(self, call: str, src: Any, dst: Any, *checksum: Any) -> tuple[int, int]:
        with (
            compressed_source(src, self.parameters.format) as source,
            pinned(dst, writable=True) as destination,
            self._turn,
        ):
            return self._call(call, source, destination, *map(byref, checksum))

    def _call(self, call: str, source: tuple[int, int], destination: tuple[int, int], *tail: Any) -> tuple[int, int]:
        consumed, produced = ctypes.c_uint(source[1]), ctypes.c_uint(destination[1])
        extended = ctypes.c_uint64(0)
        handle = self.begin_call()
        code = getattr(self._library, call)(
            byref(handle), source[0], byref(consumed), destination[0], byref(produced), *tail, byref(extended)
        )
        self.end_call(consumed.value, told=bool(extended.value & EXT_SW_EXECUTION))
        if code < 0:
            raise QatzipError(call, code, consumed=consumed.value, produced=produced.value)
        return consumed.value, produced.value

    def begin_call(self) -> SessionHandle:
        """For :class:`~qatzip.stream.Stream`: the handle, with totals of its own for the call that follows.

        They go on from call to call since 1.2.0, and begin anew with each call on the device before.
        """
        handle = self.handle
        handle.total_in = 0
        return handle

    def end_call(self, consumed: int, *, told: bool = False) -> None:
        """See what the call did where; ``told``: the library says that it was in software."""
        self.read_by_device = int(self.handle.total_in)
        self.ran_in_software = told or (self.hardware and consumed > 0 and not self.read_by_device)

    def reset(self) -> None:
        """Set the session up again: the only way on after an error or a short decompression.

        Raises :class:`QatzipError` as the constructor does; the session is closed then.
        """
        with self._turn:
            self._tear_down()
            self._set_up()

    def close(self) -> None:
        """Give everything back to the library; a second call does nothing."""
        with self._turn:
            self._tear_down()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Only where the constructor got as far as the library.
        if getattr(self, "_handle", None) is not None:
            self._tear_down()
