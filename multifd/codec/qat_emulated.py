"""QuickAssist, emulated: libqatzip's session (:mod:`.silicon.libqatzip`) around a device (:mod:`.silicon.qat`).

What distinguishes it from the library's software path is on the wire: a member for each ``buffer`` KiB, except ``raw``.
A reader that stops after the first member loses the rest, and ``zlib``, which has no members, is unreadable beyond one
piece to everybody but libqatzip.

Like QEMU (``migration/multifd-qatzip.c``, QEMU 10.2) it compresses and decompresses a whole payload with one call and
treats every code but ``QZ_OK`` as an error. Each payload has a session of its own, as if an error never outlived its
packet; with ``stream`` every channel has one (:mod:`.silicon.libqatzip_stream`, :mod:`.qatzip_streams`), and reads what
never ends in software only, if at all.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Final

from multifd.codec.contract import Factory, Parameter
from multifd.codec.qatzip_calls import (
    BUFFER,
    COLLECT,
    THRESHOLD,
    decode_all,
    decoder_of,
    encoder_of,
    incomplete,
)
from multifd.codec.qatzip_streams import header
from multifd.codec.silicon.libqatzip import Device, Parameters, Session
from multifd.codec.silicon.libqatzip_stream import Stream
from multifd.codec.silicon.qat import Engine
from multifd.errors import PayloadError
from multifd.framing.coder import Bytes, Routing, Tally
from multifd.framing.container import Container
from multifd.result.terms import Provenance

_NAME: Final = "qat-emulated"
_MODELLED: Final = "2.0.0"


@dataclass(slots=True)
class Effort:
    """Who did the work, since the codec was made."""

    hardware: int = 0
    """Requests that the device completed, with or without an error."""
    software: int = 0
    """Calls of the software path, for whole payloads or for pieces."""
    timeouts: int = 0
    """Requests that hung."""


_COMPLETED: Final = "jobs that libqat completed on devices (cpaDcGetStats), as far as the model goes"


class _QatCodec:
    def __init__(
        self,
        name: str,
        level: int,
        buffer: int,
        threshold: int,
        backup: int,
        device: int,
        raw: int,
        timeout: int,
        verify: int,
        recover: int,
    ) -> None:
        self.name = name
        self.version = _MODELLED
        self.provenance: Provenance = "emulated"
        self.device = "QAT"
        piece = buffer << 10
        self.routing = Routing(piece=piece, threshold=threshold, raw=bool(raw))
        ready = device == Device.READY
        stored = ready and bool(recover)
        self.encoder = replace(
            encoder_of(piece, threshold, device=ready), shrinks=not stored or verify != 1, stores=stored and verify > 1
        )
        self.decoder = decoder_of(piece if ready else None)
        self.engine = Engine(level, watchdog=timeout, verify=verify, recover=bool(recover), strict=not backup)
        self._parameters = Parameters(
            level=level,
            buffer=piece,
            threshold=threshold,
            backup=bool(backup),
            device=Device(device),
            raw=bool(raw),
        )
        self._software = self._spared = 0
        self._ready = ready
        # The channels of a live migration share a codec.
        self._lock = threading.Lock()

    @property
    def effort(self) -> Effort:
        """What was done where so far."""
        return Effort(self.engine.requests - self.engine.lost, self._software, self.engine.lost)

    def tally(self) -> Tally:
        """Of the model, what is to be had of the libraries."""
        completed = self.engine.completed if self._ready else None
        with self._lock:
            return Tally(source=_COMPLETED, device=completed, software=self._spared)

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        return self.compressed(self.session(container), data, last=True)

    def compressed(self, session: Session, data: Bytes, *, last: bool) -> bytes:
        """``qzCompress`` in a session; raises PayloadError."""
        answer = session.compress(data, last=last)
        self.count(session)
        if answer.code != "QZ_OK":
            raise PayloadError(f"{self.name}: qzCompress failed: {answer.code}")
        return answer.output

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        session = self.session(container)

        def call(source: memoryview, room: int) -> tuple[int, bytes]:
            answer = session.decompress(bytes(source), room)
            self.count(session)
            if answer.code != "QZ_OK":
                why = f": more than the expected {size} bytes" if answer.code == "QZ_BUF_ERROR" else ""
                raise PayloadError(f"{self.name}: qzDecompress failed: {answer.code}{why}")
            return answer.consumed, answer.output

        output = decode_all(self.name, call, data, size)
        if not session.ended:
            raise incomplete(self.name)
        return output

    def session(self, container: Container) -> Session:
        """A new one."""
        return Session(replace(self._parameters, container=container), self.engine)

    def count(self, session: Session) -> None:
        """Add what a session did where since it was counted last; after every call."""
        with self._lock:
            self._software += session.software
            self._spared += self._ready and session.software > 0 and session.total_in == 0
        session.software = session.total_in = 0


class _Compressor:
    """A stream being written by a session of its own, in raw, with the header of its container before it."""

    def __init__(self, codec: _QatStreamCodec, container: Container) -> None:
        self._codec = codec
        self._session = codec.session(Container.RAW)
        self._header = header(container)

    def compress(self, data: Bytes) -> bytes:
        output = self._codec.compressed(self._session, data, last=False)
        begin, self._header = self._header, b""
        return begin + output

    def sync(self) -> bytes:
        return b""


class _Decompressor:
    """A stream being read, a call for each packet, each said to be the last."""

    def __init__(self, codec: _QatStreamCodec, container: Container, collect: int) -> None:
        self._codec = codec
        self._stream = Stream(codec.session(container), collect)

    @property
    def ended(self) -> bool:
        return self._stream.session.ended

    def decompress(self, data: Bytes, size: int) -> Bytes:
        source, name = bytes(data), self._codec.name
        answer = self._stream.decompress(source, size + 1, last=True)
        self._codec.count(self._stream.session)
        if answer.code != "QZ_OK":
            raise PayloadError(f"{name}: qzDecompressStream failed: {answer.code}")
        if len(answer.output) > size:
            left = len(source) - answer.consumed + self._stream.pending_in
            raise PayloadError(
                f"{name}: qzDecompressStream failed: more than the expected {size} bytes, {left} bytes of input left"
            )
        return answer.output


class _QatStreamCodec(_QatCodec):
    def __init__(self, name: str, collect: int, **parameters: int) -> None:
        super().__init__(name, **parameters)
        self.encoder = replace(self.encoder, streaming=True, forgets=True)
        # Only software reads a stream that never ends.
        self.decoder = replace(self.decoder, streaming=bool(parameters["backup"]))
        self._collect = collect << 10

    def compressor(self, container: Container, window: int) -> _Compressor:
        return _Compressor(self, container)

    def decompressor(self, container: Container) -> _Decompressor:
        return _Decompressor(self, container, self._collect)


def _make(name: str, stream: int, collect: int, **parameters: int) -> _QatCodec:
    return _QatStreamCodec(name, collect, **parameters) if stream else _QatCodec(name, **parameters)


FACTORY = Factory(
    _NAME,
    _make,
    {
        "level": Parameter(1, range(1, 10)),
        "buffer": BUFFER,
        "threshold": THRESHOLD,
        "backup": Parameter(1, range(2)),
        "device": Parameter(1, range(3)),
        "raw": Parameter(1, range(2)),
        "timeout": Parameter(0, range(1 << 16)),
        "verify": Parameter(0, range(1 << 16)),
        "recover": Parameter(0, range(2)),
        "stream": Parameter(0, range(2)),
        "collect": COLLECT,
    },
)
