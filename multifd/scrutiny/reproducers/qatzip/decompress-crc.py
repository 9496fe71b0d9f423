"""qzDecompressCrc returns QZ_OK and computes no checksum."""

import zlib

import qatzip

page = b"text" * 1024
wrong = []
for container in qatzip.FORMATS:
    with qatzip.Session(qatzip.Parameters(format=container)) as session:
        crc = session.decompress_crc_into(qatzip.compress(page, format=container), bytearray(4096))[2]
        print(f"{container}: checksum {crc}, expected {zlib.crc32(page)}")
        wrong += [] if crc == zlib.crc32(page) else [container]
print(f"shown: contract: wrong for {', '.join(wrong)}" if wrong else "gone: all checksums are right")
