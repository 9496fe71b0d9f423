"""gzip and zlib compression without room for the trailer is status 0, and leaves it out."""

import random
import zlib

import qpl

page, room = random.Random(1).randbytes(4096), bytearray(4118)
try:
    with qpl.Job() as job:
        written = job.compress_into(page, room, format="gzip")
except qpl.QplError as error:
    print(f"gone: {error}")
    raise SystemExit from None
decoder = zlib.decompressobj(31)
decoder.decompress(room[:written])
print(f"status 0 with {written} bytes; the member has its end: {decoder.eof}")
print("gone: the member is whole" if decoder.eof else "shown: corruption: QPL_STS_OK, and the trailer is missing")
