"""A zlib stream whose first piece ends inside it can be status 0xFFFFFFFF, which status.h (qpl 1.9.0) does not have."""

import qpl

try:
    with qpl.Job() as job:
        job.decompress_into(bytes.fromhex("9c78daf0aba0ad71"), bytearray(4096), last=False)
    print("gone: status 0")
except qpl.QplError as error:
    print(f"shown: contract: {error}" if error.status == 0xFFFFFFFF else f"gone: {error}")
