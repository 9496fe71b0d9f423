"""raw: a truncated packet is QZ_OK, and the next, good packet is read as its rest: QZ_OK, right length, wrong bytes."""

import zlib

import qatzip


def stored(content: bytes, announced: int | None = None) -> bytes:
    """A stored block, the last one unless it announces more than it has."""
    size = announced or len(content)
    return bytes([announced is None]) + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + content


truncated = stored(b"A" * 50, announced=100)
content = b"B" * 45 + stored(b"evil")  # what stands at byte 50 of the good packet is taken for a block
good, output = stored(content), bytearray(100)
assert zlib.decompress(good, -15) == content
with qatzip.Session(qatzip.Parameters(format="raw")) as session:
    print("truncated:", session.decompress_into(truncated, bytearray(100)))
    try:
        produced = session.decompress_into(good, output)[1]
    except qatzip.QatzipError as error:
        print(f"gone: the good packet is refused: {error}")
        raise SystemExit from None
wrong = produced == len(content) and output[:produced] != content
print(f"shown: corruption: {bytes(output[:produced])!r}" if wrong else "gone: the good packet is right or short")
