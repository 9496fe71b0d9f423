"""Truncated input is status 0, in every format."""

import zlib

import qpl

page, accepted = bytes(range(256)) * 16, []
formats: dict[qpl.Format, int] = {"raw": -12, "zlib": 12, "gzip": 28}
for container, bits in formats.items():
    stream = zlib.compress(page, wbits=bits)
    for cut in (len(stream) // 2, len(stream) - 1):
        try:
            with qpl.Job() as job:
                written = job.decompress_into(stream[:cut], bytearray(4096), format=container)
            print(f"{container}, {cut} of {len(stream)} bytes: status 0, {written} bytes")
            accepted.append(container)
        except qpl.QplError as error:
            print(f"{container}, {cut} of {len(stream)} bytes: {error}")
print(f"shown: contract: {len(accepted)} of 6 are QPL_STS_OK" if accepted else "gone: all are refused")
