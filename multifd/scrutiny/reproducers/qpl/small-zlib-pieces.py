"""A zlib stream whose header or trailer is split over two pieces fails, where a raw stream may be split anywhere."""

import zlib

import qpl

page, failed = b"".join(b"line %d; " % (n * n) for n in range(1000))[:4096], []
formats: dict[qpl.Format, int] = {"raw": -12, "zlib": 12}
for container, bits in formats.items():
    stream = zlib.compress(page, 6, wbits=bits)
    for size in (1, 2, 3, 5):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        try:
            with qpl.Job() as job:
                for number, piece in enumerate(pieces, 1):
                    last = number == len(pieces)
                    job.decompress_into(piece, bytearray(4096), format=container, first=number == 1, last=last)
        except qpl.QplError as error:
            failed.append(container)
            print(f"{container}, piece {number} of {len(pieces)}, each of {size} bytes: {error}")
shown = "zlib" in failed and "raw" not in failed
print("shown: contract: only raw streams may be split anywhere" if shown else "gone: both may, or neither")
