"""gzip members with a name cannot be read: the zero that ends it is not skipped."""

import gzip
import io

import qpl

file = io.BytesIO()
with gzip.GzipFile("name", "wb", fileobj=file) as member:
    member.write(b"page" * 1024)
try:
    right = qpl.decompress(file.getvalue(), size=4096, format="gzip") == b"page" * 1024
    print("gone: read" if right else "shown: corruption: wrong bytes")
except qpl.Error as error:
    print(f"shown: contract: {error}")
