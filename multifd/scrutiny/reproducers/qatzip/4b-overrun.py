"""4B: a destination one to three bytes short is QZ_OK, with more bytes than it holds: they are written behind it."""

import ctypes

import qatzip

page = b"line of some text; " * 216
needed = len(qatzip.compress(page, format="4B"))
session, library = qatzip.Session(qatzip.Parameters(format="4B")), qatzip.load()
behind = {}
for size in (needed, needed - 1, needed - 3, 10):
    memory = ctypes.create_string_buffer(b"." * (size + 16), size + 16)
    consumed, produced = ctypes.c_uint(len(page)), ctypes.c_uint(size)
    code = library.qzCompressExt(session.handle, page, consumed, memory, produced, 1, ctypes.c_uint64())
    behind[size] = 16 - memory.raw[size:].count(b".")
    print(f"destination {size}: code {code}, says {produced.value} bytes, overwritten behind it: {behind[size]}")
worst = max(behind.values())
print(f"shown: corruption: {worst} bytes written behind the destination" if worst else "gone: nothing written behind")
