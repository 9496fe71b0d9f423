"""gzip input of 10 to 17 bytes: its size less that of header and trailer wraps around, and is read without end."""

import os
import zlib

from qpl.guard import Guarded
from qpl.header import Flag, Operation, Path
from qpl.library import load
from qpl.native import NativeJob

stream = zlib.compress(bytes(range(256)) * 16, wbits=31)[:12]
if (child := os.fork()) == 0:
    source, room = Guarded(len(stream)), Guarded(4096)
    source.view[:] = stream
    job = NativeJob(load(), Path.SOFTWARE)
    fields = job.fields
    fields.next_in_ptr, fields.available_in = source.address, len(stream)
    fields.next_out_ptr, fields.available_out = room.address, 4096
    fields.op, fields.flags = Operation.DECOMPRESS, Flag.FIRST | Flag.LAST | Flag.GZIP_MODE
    print("status", job.call("qpl_execute_job"), flush=True)
    os._exit(0)
died = os.waitpid(child, 0)[1] & 127
print(f"shown: crash: 12 bytes of gzip before an unreadable page: signal {died}" if died else "gone: no access")
