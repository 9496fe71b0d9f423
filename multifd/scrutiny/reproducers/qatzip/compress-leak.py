"""Each compression into a short destination leaks a zlib state, some 140 KiB."""

from pathlib import Path

import qatzip


def resident() -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


session, growth = qatzip.Session(), []
for _ in range(4):
    before = resident()
    for _ in range(50):
        try:
            session.compress_into(bytes(range(256)) * 16, bytearray(10))
        except qatzip.QatzipError as error:
            name = error.name
    growth.append(resident() - before)
    print(f"50 calls, {name}: {growth[-1]} KiB more")
leaks = all(more > 1000 for more in growth[1:])
print("shown: leak: more than a megabyte with every 50 calls" if leaks else "gone: memory does not grow")
