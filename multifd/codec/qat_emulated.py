"""QuickAssist, emulated: libqatzip's session (:mod:`.silicon.libqatzip`) around a device (:mod:`.silicon.qat`).

What distinguishes it from the library's software path is on the wire: a member for each ``buffer`` KiB, except ``raw``.
A reader that stops after the first member loses the rest, and ``zlib``, which has no members, is unreadable beyond one
piece to everybody but libqatzip.

Like QEMU (``migration/multifd-qatzip.c``, QEMU 10.2) it compresses and decompresses a whole payload with one call and
treats every code but ``QZ_OK`` as an error. Each payload has a session of its own, as if an error never outlived its
packet.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Final

from multifd.codec.contract import Factory, Parameter
from multifd.codec.qatzip_calls import DECODER, ENCODER, buffer_bytes, decode_all, incomplete
from multifd.codec.silicon.libqatzip import Device, Parameters, Session
from multifd.codec.silicon.qat import Engine
from multifd.errors import PayloadError
from multifd.framing.coder import Bytes
from multifd.framing.container import Container
from multifd.result.record import Provenance

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
    ) -> None:
        self.name = name
        self.version = _MODELLED
        self.provenance: Provenance = "emulated"
        self.device = "QAT"
        piece = buffer_bytes(_NAME, buffer)
        self.encoder = replace(ENCODER, member=piece if device == Device.READY else None)
        self.decoder = DECODER
        self.engine = Engine(level, watchdog=timeout, strict=not backup)
        self._parameters = Parameters(
            level=level,
            buffer=piece,
            threshold=threshold,
            backup=bool(backup),
            device=Device(device),
            raw=bool(raw),
        )
        self._software = 0
        # The channels of a live migration share a codec.
        self._lock = threading.Lock()

    @property
    def effort(self) -> Effort:
        """What was done where so far."""
        return Effort(self.engine.requests - self.engine.lost, self._software, self.engine.lost)

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        session = self._session(container)
        answer = session.compress(data)
        self._count(session)
        if answer.code != "QZ_OK":
            raise PayloadError(f"{self.name}: qzCompress failed: {answer.code}")
        return answer.output

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        session = self._session(container)

        def call(source: memoryview, room: int) -> tuple[int, bytes]:
            answer = session.decompress(bytes(source), room)
            if answer.code != "QZ_OK":
                why = f": more than the expected {size} bytes" if answer.code == "QZ_BUF_ERROR" else ""
                raise PayloadError(f"{self.name}: qzDecompress failed: {answer.code}{why}")
            return answer.consumed, answer.output

        try:
            output = decode_all(self.name, call, data, size)
        finally:
            self._count(session)
        if not session.ended:
            raise incomplete(self.name)
        return output

    def _session(self, container: Container) -> Session:
        return Session(replace(self._parameters, container=container), self.engine)

    def _count(self, session: Session) -> None:
        with self._lock:
            self._software += session.software


FACTORY = Factory(
    _NAME,
    _QatCodec,
    {
        "level": Parameter(1, range(1, 10)),
        "buffer": Parameter(64, range(1, 513)),
        "threshold": Parameter(1024, range(128, (512 << 10) + 1)),
        "backup": Parameter(1, range(2)),
        "device": Parameter(1, range(3)),
        "raw": Parameter(1, range(2)),
        "timeout": Parameter(0, range(1 << 16)),
    },
)
