"""Fixed Huffman: a destination with room for exactly what is written, or a few bytes more, is too small (status 2)."""

import qpl

page = b"".join(b"line %d of some text\n" % (n * 7919 % 1000) for n in range(342))[:4096]
with qpl.Job() as job:
    needed = job.compress_into(page, bytearray(5000))
for more in range(10):
    try:
        with qpl.Job() as job:
            job.compress_into(page, bytearray(needed + more))
        break
    except qpl.MoreOutputNeededError as error:
        print(f"{needed} bytes needed, {needed + more} offered: {error}")
print(f"shown: contract: {more} bytes more are wanted than written" if more else "gone: exactly right suffices")
