"""Fixed Huffman: what a job writes for a page depends on what it compressed before."""

import qpl

page = b"".join(b"line %d of some text\n" % (n * 7919 % 1000) for n in range(342))[:4096]
with qpl.Job() as job:
    sizes = [job.compress_into(page, bytearray(5000)) for _ in range(3)]
print(f"shown: contract: one page in {sizes} bytes" if len(set(sizes)) > 1 else "gone: the same size every time")
