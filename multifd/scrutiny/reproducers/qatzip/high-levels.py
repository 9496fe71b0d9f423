"""Levels 10 to 12 are accepted at the setup, with software backup on; every compression without a device then fails."""

import qatzip

failed = []
for level in (9, 10, 11, 12, 13):
    try:
        print(level, len(qatzip.compress(b"text" * 1000, level=level)), "bytes")
    except qatzip.QatzipError as error:
        print(level, error)
        failed += [level] if error.call == "qzCompressExt" else []
print(f"shown: contract: levels {failed} are set up and then fail" if failed else "gone: refused at once, or working")
