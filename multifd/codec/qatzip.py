"""libqatzip itself, through qatzip-py (``packages/qatzip-py``): a QAT device, or the library's own software path.

What libqatzip 2.0.0 does and this codec makes visible or keeps away from its users:

* a truncated source is ``QZ_OK``, even where the output is complete and only its checksum is missing: the end of the
  stream is asked for (``qzGetDeflateEndOfStream``);
* after an error, and after a decompression that did not come to an end, the session is set up again;
* a session belongs to one thread, so every channel has its own, and one for each container.

Releases down to 1.1.2 are used as far as they go: before 1.3.0 there is no zlib container, and nobody to ask whether a
stream has ended, so a payload without its end is decoded where all of its output is there.

``path`` 2 is software whatever there is, 1 a device or an error, 0 a device where one can be started and else software.
``buffer`` is ``hw_buff_sz`` in KiB, ``threshold`` is ``input_sz_thrshold`` in bytes, ``collect`` is ``strm_buff_sz`` in
KiB; ``polling`` 1 is busy polling, ``requests`` is ``req_cnt_thrshold``, ``forks`` ``max_forks``, ``wait``
``wait_cnt_thrshold``. Software flushes fully every ``buffer`` KiB, and looks at no threshold. With ``stream`` a
channel's packets are one stream (:mod:`.qatzip_streams`).

With a device it may still compute in software without saying so: that it is there makes the provenance, what libqat
counts of its instances must prove the rest (:mod:`qatzip.instances`).
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, Final

from multifd.codec.binding import binding
from multifd.codec.contract import Factory, Parameter
from multifd.codec.ledger import Ledger
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
from multifd.framing.coder import Bytes, Routing, Tally
from multifd.framing.container import Container
from multifd.result.terms import Provenance

_NAME: Final = "qatzip"
_PATHS: Final = ("auto", "hardware", "software")
_POLLING: Final = ("periodical", "busy")
_READS_RAW: Final = (1, 3)
"""The first series whose device decompresses DEFLATE without a container (``qzDecompressExt``, ``src/qatzip.c``, QATzip
1.2.0, against ``qzDecompressCrcExt``, 1.3.0)."""
_COMPLETED: Final = "jobs that libqat completed on devices (cpaDcGetStats of all instances of the process)"
_TOTALS: Final = "bytes of input of the calls that libqatzip took to a device (total_in of all sessions)"


class _QatzipCodec:
    def __init__(self, name: str, path: int, buffer: int, threshold: int, **parameters: int) -> None:
        self.name = name
        self._qatzip = binding(_NAME)
        release = self._qatzip.release()
        self.version = str(release)
        self.device = "QAT"
        piece = buffer << 10
        # A release that is not known is taken for a new one.
        self.routing = Routing(piece=piece, threshold=threshold, raw=(release.numbers or _READS_RAW) >= _READS_RAW)
        self._path = _PATHS[path]
        self._parameters = {
            "level": parameters["level"],
            "hw_buff_sz": piece,
            "sw_backup": bool(parameters["backup"]),
            "input_sz_thrshold": threshold,
            "strm_buff_sz": parameters["collect"] << 10,
            "polling": _POLLING[parameters["polling"]],
            "req_cnt_thrshold": parameters["requests"],
            "max_forks": parameters["forks"],
            "wait_cnt_thrshold": parameters["wait"],
        }
        self._ledger = Ledger()
        self._threads = threading.local()
        self._hardware: bool = self._session(Container.GZIP_EXT).hardware
        self._instances = self._qatzip.Instances() if self._hardware else None
        self._tells = "qzGetDeflateEndOfStream" not in self._qatzip.lacking()
        containers = frozenset(map(Container, self._qatzip.formats()))
        # The software path writes one member, whatever the size, and reads any.
        self.encoder = replace(encoder_of(piece, threshold, device=self._hardware), containers=containers)
        decoder = decoder_of(piece if self._hardware else None)
        self.decoder = replace(
            decoder, containers=containers, members=decoder.members & containers, needs_end=self._tells
        )
        self.provenance: Provenance = "hardware" if self._hardware else "vendor-software"

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        session = self._session(container)
        output = bytearray(session.max_compressed_length(len(data)))
        try:
            _, produced = session.compress_into(data, output)
        except self._qatzip.QatzipError as problem:
            session.reset()
            raise PayloadError(f"{self.name}: qzCompress failed: {problem.name}") from None
        self._count(session)
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
            self._count(session)
            del output[produced:]
            return consumed, output

        try:
            output = decode_all(self.name, call, data, size)
            ended = session.stream_ended if self._tells else len(output) == size
            if not ended:
                raise incomplete(self.name)
        except PayloadError:
            session.reset()
            raise
        if not self._tells:
            session.reset()  # it may be in the middle of a stream
        return output

    def tally(self) -> Tally:
        """Jobs, by libqat's count; bytes, by libqatzip's, where libqat has none.

        Where libqatzip took work to a device and libqat never counted a job, either libqat does not count or the
        devices did nothing: then neither is told.
        """
        completed = self._instances.completed if self._instances is not None else None
        if completed is None:
            return self._ledger.tally(_TOTALS, "bytes", counts=self._hardware)
        totals = self._ledger.tally(_COMPLETED, "jobs", counts=True)
        return replace(totals, device=completed if completed or not totals.device else None)

    def _count(self, session: Any) -> None:
        self._ledger.add(device=session.read_by_device, software=session.ran_in_software)

    def _session(self, container: Container) -> Any:
        """This thread's."""
        sessions: dict[Container, Any] = self._threads.__dict__.setdefault("sessions", {})
        if container not in sessions:
            sessions[container] = self._new(container)
        return sessions[container]

    def _new(self, container: Container) -> Any:
        try:
            parameters = self._qatzip.Parameters(format=container.value, **self._parameters)
            return self._qatzip.Session(parameters, self._path)
        except (self._qatzip.QatzipError, self._qatzip.LayoutError, ValueError) as problem:
            raise EnvironmentBroke(f"{self.name}: {problem}") from None


class _QatzipStreamCodec(_QatzipCodec):
    def __init__(self, name: str, **parameters: int) -> None:
        super().__init__(name, **parameters)
        self.encoder = replace(self.encoder, streaming=True, forgets=True)
        # Where nobody can be asked for the end of a stream, nobody knows whether one goes on.
        self.decoder = replace(self.decoder, streaming=self._tells)

    def compressor(self, container: Container, window: int) -> Compressor:
        return Compressor(self.name, self._new(Container.RAW), container, self._qatzip.QatzipError, self._count)

    def decompressor(self, container: Container) -> Decompressor:
        session = self._new(container)
        stream = self._qatzip.Stream(session)
        return Decompressor(self.name, session, stream, self._qatzip.QatzipError, self._count)


def _make(name: str, stream: int, **parameters: int) -> _QatzipCodec:
    return (_QatzipStreamCodec if stream else _QatzipCodec)(name, **parameters)


FACTORY = Factory(
    _NAME,
    _make,
    {
        "level": Parameter(1, range(1, 10)),
        "path": Parameter(2, range(3)),
        "buffer": BUFFER,
        "backup": Parameter(1, range(2)),
        "threshold": THRESHOLD,
        "stream": Parameter(0, range(2)),
        "collect": COLLECT,
        "polling": Parameter(0, range(2)),
        "requests": Parameter(32, range(1, 33)),
        "forks": Parameter(3, range(1 << 16)),
        "wait": Parameter(8, range(1 << 16)),
    },
)
