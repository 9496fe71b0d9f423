"""Compressing into a short destination is QZ_FAIL, where qatzip.h (QATzip 2.0.0) has QZ_BUF_ERROR: nobody knows why."""

import qatzip

names = {}
for container in qatzip.FORMATS:
    try:
        qatzip.compress_into(bytes(range(256)) * 16, bytearray(10), format=container)
    except qatzip.QatzipError as error:
        names[container] = error.name
print(names)
print("shown: contract: QZ_FAIL" if "QZ_FAIL" in names.values() else "gone: the destination is named as the cause")
