"""Up to some ten bytes of garbage behind a gzip member are consumed and accepted."""

import qatzip

packed, accepted = qatzip.compress(b"text" * 1024), []
for tail in (b"\0", b"\0" * 9, b"\x1f\x8b\x08", b"\x1f\x8b\x07", b"junk"):
    try:
        consumed = qatzip.decompress_into(packed + tail, bytearray(5000))[0]
        print(tail, "consumed", consumed, "of", len(packed) + len(tail))
        accepted += [tail] if consumed > len(packed) else []
    except qatzip.QatzipError as error:
        print(tail, error)
print(f"shown: contract: accepted are {accepted}" if accepted else "gone: garbage is refused, or left")
