"""gzip-ext into a destination just as large as the content, as QEMU's is for a full packet: a flipped bit that makes
the data longer fills it before the trailer is reached. QZ_OK, right length, wrong bytes, and no CRC compared."""

import random
from collections import Counter

import qatzip

rng = random.Random(1)
content = b"".join(b"%d line of text %d\n" % (n, rng.randrange(10**6)) for n in range(40000))[: 512 * 1024]
packed, seen = qatzip.compress(content), Counter[str]()
with qatzip.Session() as session:
    for _ in range(100):
        damaged, output = bytearray(packed), bytearray(len(content))
        damaged[rng.randrange(24, len(packed) - 8)] ^= 1 << rng.randrange(8)
        session.reset()
        try:
            produced = session.decompress_into(damaged, output)[1]
            seen["wrong" if produced == len(content) and output != content else "short or right"] += 1
        except qatzip.QatzipError as error:
            seen[error.name] += 1
print(dict(seen))
print(f"shown: corruption: {seen['wrong']} of 100 flipped bits" if seen["wrong"] else "gone: every flip was noticed")
