"""4B: the length in front of the data is never compared with it."""

import qatzip

page = b"".join(b"line %d; " % (n * n) for n in range(1000))[:4096]
packed = bytearray(qatzip.compress(page, format="4B"))
accepted = []
for length in (0, 1, 0xFFFFFFFF):
    packed[:4] = length.to_bytes(4, "little")
    try:
        print("length", length, qatzip.decompress_into(packed, bytearray(4096), format="4B"))
        accepted.append(length)
    except qatzip.QatzipError as error:
        print("length", length, error)
print(f"shown: contract: lengths {accepted} are accepted" if accepted else "gone: a wrong length is refused")
