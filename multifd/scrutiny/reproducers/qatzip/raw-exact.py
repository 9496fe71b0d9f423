"""raw: a destination exactly as large as the output is QZ_FAIL; with one byte more it is QZ_OK, which stays unused."""

import qatzip

page = b"".join(b"line %d; " % (n * n) for n in range(1000))[:4096]
refused = []
for container in qatzip.FORMATS:
    needed = len(qatzip.compress(page, format=container))
    try:
        print(container, needed, qatzip.compress_into(page, bytearray(needed), format=container))
    except qatzip.QatzipError as error:
        refused.append(container)
        print(container, needed, error)
shown = f"contract: a destination exactly as large as the output is refused for {', '.join(refused)}"
print(f"shown: {shown}" if refused else "gone: exactly right suffices")
