"""QZ_STATIC_HDR is accepted and ignored in software: the blocks stay dynamic."""

import qatzip

page = b"".join(b"line %d; " % (n * n) for n in range(1000))[:4096]
packed = qatzip.compress(page, format="raw", huffman="static")
kind = packed[0] >> 1 & 3
print(len(packed), "bytes, block type", kind, "(1 fixed, 2 dynamic)")
print("shown: contract: static was asked, dynamic came" if kind == 2 else "gone: not dynamic")
