"""Reserved gzip flags are status 1, "being processed", from a call that waits: a caller that polls never ends."""

import zlib

import qpl

stream = bytearray(zlib.compress(b"page" * 1024, wbits=28))
stream[3] = 0xE0
try:
    qpl.decompress(stream, size=4096, format="gzip")
    print("gone: reserved flags are accepted")
except qpl.QplError as error:
    print("shown: hang: status 1" if error.status == 1 else f"gone: {error}")
