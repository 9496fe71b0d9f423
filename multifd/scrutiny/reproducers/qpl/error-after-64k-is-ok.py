"""An error behind the first 64 KiB of output is status 0, with the output that there was."""

import random
import zlib

import qpl

data = random.Random(1).randbytes(70000)
engine = zlib.compressobj(9, zlib.DEFLATED, -15)
stream = engine.compress(data + data[-5000:]) + engine.flush()
try:
    with qpl.Job() as job:
        written = job.decompress_into(stream, bytearray(75000))
    print(f"status 0, {written} bytes of 75000, behind them a distance of 5000")
    print("shown: contract: a distance beyond the window is QPL_STS_OK")
except qpl.QplError as error:
    print(f"gone: {error}")
