"""More than 64 KiB into a destination exactly as large: bytes of the input are written behind it (status OK)."""

import random
import zlib

from qpl.guard import Guarded
from qpl.header import Flag, Operation, Path
from qpl.library import load
from qpl.native import NativeJob

data = random.Random(1).randbytes(70000)
engine = zlib.compressobj(0, zlib.DEFLATED, 12)
stream = engine.compress(data) + engine.flush()
source, room = Guarded(len(stream)), Guarded(len(data) + 64)
source.view[:] = stream
job = NativeJob(load(), Path.SOFTWARE)
fields = job.fields
fields.next_in_ptr, fields.available_in = source.address, len(stream)
fields.next_out_ptr, fields.available_out = room.address, len(data)
fields.op, fields.flags = Operation.DECOMPRESS, Flag.FIRST | Flag.LAST | Flag.ZLIB_MODE
status = job.call("qpl_execute_job")
behind = bytes(room.view[len(data) :]).rstrip(b"\0")
print(f"status {status}, {fields.total_out} bytes, behind them {behind.hex()}, Adler-32 {zlib.adler32(data):08x}")
print(f"shown: corruption: {len(behind)} bytes behind the destination" if behind else "gone: nothing behind it")
