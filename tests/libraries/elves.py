"""Hand-made ELF files with a dynamic section and nothing to run."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path

_STRIDE = 24
"""Bytes from one Vernaux to the next: more than its size, for the chain is linked by offsets."""


def library(needs: dict[str, list[str]], defines: Sequence[str] = (), says: bytes = b"") -> bytes:
    """A 64-bit little-endian shared object that needs these libraries with these symbol versions.

    It defines functions if any are named, and has some bytes of data.
    """
    names = b"\0"
    places: dict[str, int] = {}
    for name in [*needs, *(version for versions in needs.values() for version in versions)]:
        places[name] = len(names)
        names += name.encode() + b"\0"
    strings = 64 + 2 * 56
    verneed = strings + len(names)
    records = b""
    versioned = {name: versions for name, versions in needs.items() if versions}
    for index, (name, versions) in enumerate(versioned.items(), 1):
        last = index == len(versioned)
        records += struct.pack(
            "<HHIII", 1, len(versions), places[name], 16, 0 if last else 16 + _STRIDE * len(versions)
        )
        for number, version in enumerate(versions, 1):
            records += struct.pack("<IHHII", 0, 0, 2, places[version], 0 if number == len(versions) else _STRIDE).ljust(
                _STRIDE, b"\0"
            )
    dynamic = verneed + len(records)
    tags = [(1, places[name]) for name in needs] + [(5, strings)]
    tags += [(0x6FFFFFFE, verneed)] if versioned else []
    section = b"".join(struct.pack("<QQ", *tag) for tag in [*tags, (0, 0)])
    size = dynamic + len(section)
    sections = _sections(size, defines) if defines else b""
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, size if defines else 0, 0, 64, 56, 2, 64, 3 if defines else 0, 0
    )
    loaded = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 4096)
    described = struct.pack("<IIQQQQQQ", 2, 4, dynamic, dynamic, dynamic, len(section), len(section), 8)
    return header + loaded + described + names + records + section + sections + says


def _sections(at: int, defines: Sequence[str]) -> bytes:
    """Section headers, and the dynamic symbols that they tell of: one that is needed, the others defined."""
    names, symbols = b"\0malloc\0", struct.pack("<IBBHQQ", 0, 0, 0, 0, 0, 0) + struct.pack("<IBBHQQ", 1, 18, 0, 0, 0, 0)
    for name in defines:
        symbols += struct.pack("<IBBHQQ", len(names), 18, 0, 7, 4096, 1)
        names += name.encode() + b"\0"
    start = at + 3 * 64
    headers = ((0, 0, 0, 0), (11, start, len(symbols), 2), (3, start + len(symbols), len(names), 0))
    packed = (struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, *rest, 0, 8, 24) for kind, *rest in headers)
    return b"".join(packed) + symbols + names


def libc_path() -> Path:
    """This process's own C library."""
    mapped = re.search(r"(/\S*/libc[.-]\S*)", Path("/proc/self/maps").read_text())
    assert mapped is not None
    return Path(mapped[1])
