"""Vendor libraries under scrutiny: one library, one systematic check, one process.

``python -m multifd.scrutiny CHECK LIBRARY`` prints one JSON object per case: what the library's documentation or zlib
leads to expect, what was observed, whether that is the same. The library is called as a C program calls it, without
the margins and private buffers with which its Python binding protects a caller: they would hide what is looked for.
What may kill the process is done in a child of it (:mod:`multifd.scrutiny.child`).

This package knows nothing of cells and verdicts; it runs wherever the library can be loaded.
"""
