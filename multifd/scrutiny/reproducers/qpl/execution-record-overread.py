"""qpl_get_execution_record, exported and used by the vendor's benchmark, reads 39 KiB behind a software job."""

import ctypes
import os

from qpl.guard import Guarded, protect
from qpl.library import load

library, size, seconds = load(), ctypes.c_uint32(), ctypes.c_double()
if not hasattr(library, "qpl_get_execution_record"):
    print("skipped: the function is not exported")
    raise SystemExit
if (child := os.fork()) == 0:
    library.qpl_get_job_size(2, ctypes.byref(size))
    room = size.value + -size.value % 4096
    memory = Guarded(room + 65536)
    protect(memory.address + room, 65536, 0)
    library.qpl_init_job(2, memory.address)
    library.qpl_get_execution_record(ctypes.c_void_p(memory.address), 0, ctypes.byref(seconds))
    os._exit(0)
died = os.waitpid(child, 0)[1] & 127
print(f"shown: crash: signal {died}" if died else "gone: it stays inside the job")
