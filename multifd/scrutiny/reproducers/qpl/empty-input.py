"""Empty input cannot be compressed, though DEFLATE has a form for it."""

import qpl

try:
    with qpl.Job() as job:
        print(f"gone: {job.compress_into(b'', bytearray(64))} bytes")
except qpl.QplError as error:
    print(f"shown: contract: {error}")
