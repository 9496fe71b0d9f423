"""Without a device every qzInit, qzCompress and qzDecompress leaves a pthread key behind; a process has 1024."""

import ctypes

import qatzip

libc = ctypes.CDLL(None)


def create_key() -> int:
    key = ctypes.c_uint()
    error: int = libc.pthread_key_create(ctypes.byref(key), None)
    if not error:
        libc.pthread_key_delete(key)
    return error


session, packed, page = qatzip.Session(), bytearray(5000), bytearray(4096)
if session.hardware:
    print("skipped: a device is there")
    raise SystemExit
before = create_key()
for _ in range(600):
    produced = session.compress_into(page, packed)[1]
    session.decompress_into(memoryview(packed)[:produced], page)
print("pthread_key_create: before", before, "after 1200 calls", create_key())
print(f"shown: leak: no pthread key is left ({create_key()})" if create_key() else "gone: there are keys left")
