"""4B: a stray byte behind a chunk makes qzDecompress read a 4 byte header across the end of the source."""

import ctypes
import mmap
import os

import qatzip

memory = mmap.mmap(-1, 8192)
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + 4096), 4096, 0)
signals = {}
for extra in (0, 1, 2, 4):
    source = qatzip.compress(b"text" * 1000, format="4B") + bytes(extra)
    memory[4096 - len(source) : 4096] = source
    if (child := os.fork()) == 0:
        session = qatzip.Session(qatzip.Parameters(format="4B"))
        sizes, room = (ctypes.c_uint(len(source)), ctypes.c_uint(5000)), ctypes.create_string_buffer(5000)
        address = start + 4096 - len(source)
        qatzip.load().qzDecompressExt(session.handle, address, sizes[0], room, sizes[1], ctypes.c_uint64())
        os._exit(0)
    signals[extra] = os.waitpid(child, 0)[1] & 127
    print(f"{extra} bytes behind the chunk: signal {signals[extra]}")
print(f"shown: crash: one stray byte: signal {signals[1]}" if signals[1] else "gone: the source's end is kept")
