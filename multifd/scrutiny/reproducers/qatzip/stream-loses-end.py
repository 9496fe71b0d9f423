"""qzCompressStream: "last" while output is pending is QZ_OK with nothing pending, and never ends the data."""

import zlib

import qatzip

content = b"".join(b"line %d; " % (n * n) for n in range(20000))[:65536]
output, room = bytearray(), bytearray(1000)
with qatzip.Session() as session, qatzip.Stream(session) as stream:
    output += room[: stream.compress_into(content, room, last=False)[1]]
    while stream.pending_out or stream.pending_in:
        output += room[: stream.compress_into(b"", room, last=True)[1]]
    print("pending", stream.pending_in, stream.pending_out)
decoder = zlib.decompressobj(31)
print("content", decoder.decompress(output) == content, "ended", decoder.eof)
print("gone: the stream has its end" if decoder.eof else "shown: corruption: the stream has no end")
