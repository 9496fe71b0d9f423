"""sw_backup=0: qzInit and the setup fail with QZ_NOSW_NO_HW, yet the same session then compresses, in software."""

import ctypes

import qatzip
from qatzip.abi import SessionHandle

library, handle, page = qatzip.load(), SessionHandle(), b"text" * 1024
print("qzInit", refused := library.qzInit(handle, 0))
print("setup", library.qzSetupSessionDeflateExt(handle, qatzip.Parameters(sw_backup=False).structure()))
consumed, produced, extended = ctypes.c_uint(4096), ctypes.c_uint(5000), ctypes.c_uint64()
code = library.qzCompressExt(handle, page, consumed, bytes(5000), produced, 1, extended)
print("qzCompressExt", code, consumed.value, produced.value)
if not refused:
    print("skipped: a device is there")
else:
    print("shown: contract: compressed in software against the caller's wish" if not code else "gone: refused")
