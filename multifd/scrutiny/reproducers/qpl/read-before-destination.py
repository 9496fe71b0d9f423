"""The last call of a stream reads total_out bytes up to its end: before the destination, if every call has its own."""

import os
import random
import zlib

from qpl.guard import Guarded, protect
from qpl.header import Flag, Operation, Path
from qpl.library import load
from qpl.native import NativeJob

data, engine = random.Random(1).randbytes(60000), zlib.compressobj(6, zlib.DEFLATED, -12)
stream = engine.compress(data) + engine.flush()
if (child := os.fork()) == 0:
    job, rooms = NativeJob(load(), Path.SOFTWARE), (Guarded(61440), Guarded(8192))
    protect(rooms[1].address, 4096, 0)
    places = ((rooms[0].address, 61440, Flag.FIRST), (rooms[1].address + 4096, 4096, Flag.LAST))
    for piece, (address, size, flag) in zip((stream[:-1000], stream[-1000:]), places, strict=True):
        source, fields = Guarded(len(piece)), job.fields
        source.view[:] = piece
        fields.next_in_ptr, fields.available_in = source.address, len(piece)
        fields.next_out_ptr, fields.available_out = address, size
        fields.op, fields.flags = Operation.DECOMPRESS, flag
        print("status", job.call("qpl_execute_job"), flush=True)
    os._exit(0)
died = os.waitpid(child, 0)[1] & 127
print(f"shown: crash: the second of two pieces: signal {died}" if died else "gone: it reads nothing before it")
