"""Decompression into a short destination is QZ_OK, and the session then refuses every good packet."""

import qatzip

page = b"".join(b"line %d; " % (n * n) for n in range(1000))[:4096]
packed = qatzip.compress(page)
refused = 0
with qatzip.Session() as session:
    print("short destination:", session.decompress_into(packed, bytearray(100)))
    for _ in range(3):
        try:
            print("good packet:", session.decompress_into(packed, bytearray(4096)))
        except qatzip.QatzipError as error:
            refused += 1
            print("good packet:", error)
print(f"shown: contract: {refused} of 3 good packets are refused" if refused else "gone: good packets decompress")
