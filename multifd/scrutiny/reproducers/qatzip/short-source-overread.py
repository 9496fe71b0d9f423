"""qzDecompress reads 20 bytes of every source: a shorter one before an unreadable page kills the process."""

import ctypes
import mmap
import os

import qatzip

memory = mmap.mmap(-1, 8192)
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + 4096), 4096, 0)
signals = {}
for size in (15, 19, 20):
    memory[4096 - size : 4096] = qatzip.compress(b"text" * 99)[:size]
    if (child := os.fork()) == 0:
        sizes, room = (ctypes.c_uint(size), ctypes.c_uint(4096)), ctypes.create_string_buffer(4096)
        session, source = qatzip.Session(), start + 4096 - size
        qatzip.load().qzDecompressExt(session.handle, source, sizes[0], room, sizes[1], ctypes.c_uint64())
        os._exit(0)
    signals[size] = os.waitpid(child, 0)[1] & 127
    print(f"{size} bytes of gzip-ext: signal {signals[size]}")
print(f"shown: crash: 15 bytes of input: signal {signals[15]}" if signals[15] else "gone: the source's end is kept")
