"""crc_32 of a stream is not the checksum of its content."""

import zlib

import qatzip

content = b"".join(b"line %d; " % (n * n) for n in range(20000))
wrong = []
for size in (65535, 65536, 65537):
    with qatzip.Session() as session, qatzip.Stream(session) as stream:
        list(stream.compress([content[:size]]))
        wrong += [] if stream.crc32 == zlib.crc32(content[:size]) else [size]
print(f"shown: contract: wrong for {wrong} bytes" if wrong else "gone: all checksums are right")
