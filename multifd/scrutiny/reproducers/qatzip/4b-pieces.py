"""4B: pieces compressed with last=0 each get a length and do not decompress together."""

import qatzip

page = b"".join(b"line %d; " % (n * n) for n in range(1000))[:4096]
one, two, output = bytearray(5000), bytearray(5000), bytearray(8192)
with qatzip.Session(qatzip.Parameters(format="4B")) as session:
    first, second = session.compress_into(page, one, last=False)[1], session.compress_into(page, two)[1]
try:
    produced = qatzip.decompress_into(one[:first] + two[:second], output, format="4B")[1]
    good = output[:produced] == page + page
    print("gone: both pieces decompress" if good else f"shown: contract: QZ_OK with {produced} bytes of 8192")
except qatzip.QatzipError as error:
    print(f"shown: contract: {error}")
