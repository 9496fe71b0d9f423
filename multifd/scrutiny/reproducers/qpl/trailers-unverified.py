"""Decompression verifies no trailer: neither zlib's Adler-32 nor gzip's CRC-32 and size."""

import zlib

import qpl

accepted = []
formats: dict[qpl.Format, int] = {"zlib": 12, "gzip": 28}
for container, bits in formats.items():
    stream = bytearray(zlib.compress(b"page" * 1024, wbits=bits))
    stream[-1] ^= 255
    try:
        qpl.decompress(stream, size=4096, format=container)
        accepted.append(container)
    except qpl.QplError as error:
        print(container, error)
print(f"shown: contract: wrong trailers accepted: {', '.join(accepted)}" if accepted else "gone: all refused")
