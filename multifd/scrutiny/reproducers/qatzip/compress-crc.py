"""The checksum of qzCompressCrc is wrong: beyond hw_buff_sz for gzip and gzip-ext, always for 4B and zlib."""

import zlib

import qatzip

content = b"".join(b"line %d; " % (n * n) for n in range(20000))
wrong = []
for container in qatzip.FORMATS:
    with qatzip.Session(qatzip.Parameters(format=container)) as session:
        for size in (4096, 65537):
            checksum = session.compress_crc_into(content[:size], bytearray(90000))[2]
            right = checksum == zlib.crc32(content[:size])
            print("qzCompressCrc", container, size, "right" if right else "wrong")
            wrong += [] if right else [f"{container} {size}"]
print(f"shown: contract: wrong for {', '.join(wrong)}" if wrong else "gone: all checksums are right")
