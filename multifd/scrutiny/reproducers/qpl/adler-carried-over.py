"""The Adler-32 of a second ZLIB mode compression on one job goes on from the first one's."""

import zlib

import qpl

page, packed = b"page" * 1024, bytearray(5000)
with qpl.Job() as job:
    for number in (1, 2):
        written = job.compress_into(page, packed, format="zlib")
        print(
            f"compression {number}: Adler-32 {packed[written - 4 : written].hex()}, expected {zlib.adler32(page):08x}"
        )
wrong = packed[written - 4 : written] != zlib.adler32(page).to_bytes(4)
print("shown: corruption: no other decoder reads the second stream" if wrong else "gone: both checksums are right")
