"""``python -m multifd.fidelity.worker NAME``: decode batches from standard input with a vendor library.

Nothing is repaired or hidden: the status and the bytes are the library's.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Final

from multifd.fidelity.grammar import Stream
from multifd.fidelity.library import WITHHELD, Outcome, read_batch, write_answers
from multifd.framing.container import Container

Decoder = Callable[[Stream], Outcome]


def _qpl() -> Decoder:
    """libqpl's software path; the job is made new after an error."""
    qpl = importlib.import_module("qpl")
    job = qpl.Job("software")
    formats = {Container.RAW: "raw", Container.ZLIB: "zlib", Container.GZIP: "gzip", Container.GZIP_EXT: "gzip"}

    def decode(stream: Stream) -> Outcome:
        output = bytearray(stream.room)
        try:
            produced = job.decompress_into(stream.data, output, format=formats[stream.container])
        except qpl.QplError as problem:
            job.reset()
            return Outcome(problem.status, b"")
        except qpl.UnsafeInputError:
            return Outcome(WITHHELD, b"")
        return Outcome(0, bytes(output[:produced]))

    return decode


def _qatzip() -> Decoder:
    """libqatzip without a device; a session for each stream, because it remembers."""
    qatzip = importlib.import_module("qatzip")
    qatzip.load()

    def decode(stream: Stream) -> Outcome:
        output = bytearray(stream.room)
        with qatzip.Session(qatzip.Parameters(format=stream.container.value)) as session:
            try:
                _, produced = session.decompress_into(stream.data, output)
            except qatzip.QatzipError as problem:
                return Outcome(problem.code, b"")
        return Outcome(0, bytes(output[:produced]))

    return decode


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {"qpl": _qpl, "qatzip": _qatzip}
"""What makes a decoder, by the library's name."""


def main(name: str) -> int:
    """Serve until the end of standard input; exit status 3 without the library's binding."""
    if name not in DECODERS:
        print(f"library {name!r} is unknown; expected one of {', '.join(DECODERS)}", file=sys.stderr)
        return 2
    try:
        decode = DECODERS[name]()
    except ModuleNotFoundError as problem:
        print(f"{problem}: install packages/{name}-py", file=sys.stderr)
        return 3
    write_answers(sys.stdout.buffer, [])
    while (batch := read_batch(sys.stdin.buffer)) is not None:
        write_answers(sys.stdout.buffer, [decode(stream) for stream in batch])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
