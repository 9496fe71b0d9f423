"""libqatzip itself, through qatzip-py (``packages/qatzip-py``): a QAT device, or the library's own software path.

What libqatzip 2.0.0 does and this codec makes visible or keeps away from its users:

* a truncated source is ``QZ_OK``, even where the output is complete and only its checksum is missing: the end of the
  stream is asked for (``qzGetDeflateEndOfStream``);
* after an error, and after a decompression that did not come to an end, the session is set up again;
* a session belongs to one thread, so every channel has its own, and one for each container.

``buffer`` is ``hw_buff_sz`` in KiB, ``threshold`` is ``input_sz_thrshold`` in bytes, ``collect`` is ``strm_buff_sz`` in
KiB. Software flushes fully every ``buffer`` KiB, and looks at no threshold. With ``stream`` a channel's packets are one
stream (:mod:`.qatzip_streams`).

With a device it may still compute in software without saying so: that it is there makes the provenance, counters must
prove the rest.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from dataclasses import replace
from typing import Any, Final

from multifd.codec.binding import binding
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
from multifd.codec.qatzip_streams import Compressor, Decompressor
from multifd.errors import EnvironmentBroke, PayloadError
from multifd.framing.coder import Bytes, Routing
from multifd.framing.container import Container
from multifd.result.record import Provenance

_NAME: Final = "qatzip"


class _QatzipCodec:
    def __init__(self, name: str, level: int, buffer: int, backup: int, threshold: int, collect: int) -> None:
        self.name = name
        self._qatzip = binding(_NAME)
        self.version = "{}.{} (API)".format(*importlib.import_module("qatzip.abi").API_VERSION)
        self.device = "QAT"
        piece = buffer << 10
        self.routing = Routing(piece=piece, threshold=threshold)
        self._parameters = {
            "level": level,
            "hw_buff_sz": piece,
            "sw_backup": bool(backup),
            "input_sz_thrshold": threshold,
            "strm_buff_sz": collect << 10,
        }
        self._threads = threading.local()
        hardware = self._session(Container.GZIP_EXT).hardware
        # The software path writes one member, whatever the size, and reads any.
        self.encoder = encoder_of(piece, threshold, device=hardware)
        self.decoder = decoder_of(piece if hardware else None)
        self.provenance: Provenance = "hardware" if hardware else "vendor-software"

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        session = self._session(container)
        output = bytearray(session.max_compressed_length(len(data)))
        try:
            _, produced = session.compress_into(data, output)
        except self._qatzip.QatzipError as problem:
            session.reset()
            raise PayloadError(f"{self.name}: qzCompress failed: {problem.name}") from None
        del output[produced:]
        return output

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        session = self._session(container)

        def call(source: memoryview, room: int) -> tuple[int, Bytes]:
            output = bytearray(room)
            try:
                consumed, produced = session.decompress_into(source, output)
            except self._qatzip.QatzipError as problem:
                raise PayloadError(f"{self.name}: qzDecompress failed: {problem.name}") from None
            del output[produced:]
            return consumed, output

        try:
            output = decode_all(self.name, call, data, size)
            if not self._ended(session):
                raise incomplete(self.name)
        except PayloadError:
            session.reset()
            raise
        return output

    def _session(self, container: Container) -> Any:
        """This thread's."""
        sessions: dict[Container, Any] = self._threads.__dict__.setdefault("sessions", {})
        if container not in sessions:
            sessions[container] = self._new(container)
        return sessions[container]

    def _new(self, container: Container) -> Any:
        parameters = self._qatzip.Parameters(format=container.value, **self._parameters)
        try:
            return self._qatzip.Session(parameters)
        except self._qatzip.QatzipError as problem:
            raise EnvironmentBroke(f"{self.name}: {problem}") from None

    def _ended(self, session: Any) -> bool:
        """The last call saw the end of a stream."""
        ended = ctypes.c_ubyte()
        self._qatzip.load().qzGetDeflateEndOfStream(ctypes.byref(session.handle), ctypes.byref(ended))
        return bool(ended.value)


class _QatzipStreamCodec(_QatzipCodec):
    def __init__(self, name: str, **parameters: int) -> None:
        super().__init__(name, **parameters)
        self.encoder = replace(self.encoder, streaming=True, forgets=True)
        self.decoder = replace(self.decoder, streaming=True)

    def compressor(self, container: Container, window: int) -> Compressor:
        return Compressor(self.name, self._new(Container.RAW), container, self._qatzip.QatzipError)

    def decompressor(self, container: Container) -> Decompressor:
        session = self._new(container)
        return Decompressor(self.name, session, self._qatzip.Stream(session), self._ended, self._qatzip.QatzipError)


def _make(name: str, stream: int, **parameters: int) -> _QatzipCodec:
    return (_QatzipStreamCodec if stream else _QatzipCodec)(name, **parameters)


FACTORY = Factory(
    _NAME,
    _make,
    {
        "level": Parameter(1, range(1, 10)),
        "buffer": BUFFER,
        "backup": Parameter(1, range(2)),
        "threshold": THRESHOLD,
        "stream": Parameter(0, range(2)),
        "collect": COLLECT,
    },
)
