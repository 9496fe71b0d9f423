"""Verification of what was compressed fails by itself for more than 32,768 compressible bytes."""

import qpl

with qpl.Job() as job:
    print("32768 bytes:", job.compress_into(bytes(32768), bytearray(90000), verify=True))
with qpl.Job() as job:
    try:
        print("32769 bytes:", job.compress_into(bytes(32769), bytearray(90000), verify=True))
        print("gone: verified")
    except qpl.QplError as error:
        print(f"shown: contract: 32769 bytes: {error}")
