"""Going on behind LAST is not status 4, JOB_NOT_CONTINUABLE, but whatever the bytes give."""

import zlib

import qpl

stream = zlib.compress(b"page" * 1024, wbits=-12)
with qpl.Job() as job:
    job.decompress_into(stream, bytearray(4096))
    try:
        job.decompress_into(stream, bytearray(4096), first=False)
        print("shown: contract: status 0")
    except qpl.QplError as error:
        print(f"gone: {error}" if error.status == 4 else f"shown: contract: {error}")
