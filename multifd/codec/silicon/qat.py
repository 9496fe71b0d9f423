"""A QuickAssist compression instance: one stateless request in, one result out.

Sources: the QAT API (``quickassist/include/dc/cpa_dc.h``, qatlib 26.08, ``CpaDcReqStatus``) and its programmer's guide,
chapter Data Compression; libqatzip, which drives it (``src/qatzip.c``, ``src/qatzip_utils.c``, QATzip 1.3.1).

* "Stateful compression is not supported", nor stateful decompression on QAT 2.0: no request sees the one before it.
* Compression takes ``CPA_DC_FLUSH_FINAL``, the stream ends, or ``CPA_DC_FLUSH_FULL``, it goes on at a byte boundary.
* Output that does not fit is an error of a stateless request (``CPA_DC_OVERFLOW``).
* What was compressed is decompressed and compared, always. If they differ, the request fails (``CPA_DC_VERIFY_ERROR``);
  where it asked for recovery (``compressAndVerifyAndRecover``), its output is stored blocks instead. libqatzip asks for
  verification only (``compBufferSetup``), so that its software compresses again.
* Decompression takes ``CPA_DC_FLUSH_FINAL`` and stops behind the final block; input without one is
  ``CPA_DC_INCOMPLETE_FILE_ERR``, a dynamic block without content ``CPA_DC_EMPTY_DYM_BLK`` ("not supported"), which
  software decodes.
* A slice that hangs is reported by its watchdog (``CPA_DC_WDOG_TIMER_ERR``). Where no watchdog fires there is no end:
  libqatzip polls without a deadline, and its ``QZ_TIMEOUT`` is returned by no function of 2.0.0.

The window is DEFLATE's own 32 KiB. Compression is computed by zlib; which matches and codes the silicon chooses is not
modelled.
"""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from typing import Final

from multifd.framing.coder import Bytes
from multifd.framing.deflate import walk

_RAW: Final = -15


class Status(IntEnum):
    """How a request ended (``CpaDcReqStatus``)."""

    OK = 0
    INVALID_CODE = -9
    """For all of -1 to -10, which say in what way bits are not DEFLATE; libqatzip does not tell them apart."""
    OVERFLOW = -11
    INCOMPLETE_FILE = -15
    WATCHDOG = -16
    VERIFY = -18
    EMPTY_DYNAMIC_BLOCK = -19


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a request (``CpaDcRqResults``); sizes and output are meaningless after an error."""

    status: Status
    consumed: int = 0
    """Bytes of input; what follows the final block is not consumed."""
    output: bytes = b""


class Engine:
    """An instance. Threads may share one.

    :param level: 1 to 9 (``CpaDcCompLvl``).
    :param watchdog: every so many-th request hangs; 0 for none.
    :param verify: every so many-th compression fails verification; 0 for none.
    :param recover: stored blocks instead of a compression that fails verification.
    :param strict: refuse empty dynamic blocks. They are looked for token by token, which costs more than all else.
    """

    def __init__(
        self, level: int = 1, *, watchdog: int = 0, verify: int = 0, recover: bool = False, strict: bool = True
    ) -> None:
        self.requests = 0
        """Requests taken, those that hung included."""
        self.completed = 0
        """Requests that ended without error (``numCompCompleted`` and ``numDecompCompleted`` of ``CpaDcStats``)."""
        self._level = level
        self._watchdog = watchdog
        self._verify = verify
        self._recover = recover
        self._strict = strict
        self._numbers = count(1)
        self._compressions = count(1)
        self._lock = threading.Lock()

    @property
    def lost(self) -> int:
        """Requests that hung."""
        return self.requests // self._watchdog if self._watchdog else 0

    def compress(self, source: Bytes, room: int, *, final: bool) -> Result:
        """Compress into at most ``room`` bytes; with ``final`` the stream ends, else it is flushed to a byte."""
        return self._counted(self._compressed(source, room, final=final))

    def decompress(self, source: bytes, room: int) -> Result:
        """Decompress a stream that starts at the first byte, into at most ``room`` bytes."""
        return self._counted(self._decompressed(source, room))

    def _counted(self, result: Result) -> Result:
        with self._lock:
            self.completed += result.status is Status.OK
        return result

    def _compressed(self, source: Bytes, room: int, *, final: bool) -> Result:
        if self._hangs():
            return Result(Status.WATCHDOG)
        fails = self._verify > 0 and next(self._compressions) % self._verify == 0
        if fails and not self._recover:
            return Result(Status.VERIFY)
        stream = zlib.compressobj(0 if fails else self._level, zlib.DEFLATED, _RAW)
        output = stream.compress(source) + stream.flush(zlib.Z_FINISH if final else zlib.Z_FULL_FLUSH)
        return Result(Status.OK, len(source), output) if len(output) <= room else Result(Status.OVERFLOW)

    def _decompressed(self, source: bytes, room: int) -> Result:
        if self._hangs():
            return Result(Status.WATCHDOG)
        stream = zlib.decompressobj(_RAW)
        try:
            output = stream.decompress(source, room + 1)
        except zlib.error:
            return Result(Status.INVALID_CODE)
        if len(output) > room:
            return Result(Status.OVERFLOW)
        if not stream.eof:
            return Result(Status.INCOMPLETE_FILE)
        if self._strict and any(block.kind == "dynamic" and not block.output for block in walk(source).blocks):
            return Result(Status.EMPTY_DYNAMIC_BLOCK)
        return Result(Status.OK, len(source) - len(stream.unused_data), output)

    def _hangs(self) -> bool:
        number = next(self._numbers)
        with self._lock:
            self.requests = max(self.requests, number)
        return self._watchdog > 0 and number % self._watchdog == 0
