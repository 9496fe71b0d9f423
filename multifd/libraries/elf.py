"""What a shared library needs, other libraries and how new a glibc, and what it offers: its functions.

A 64-bit little-endian ELF file (System V gABI, chapters 4 and 5; GNU symbol versioning in the LSB Core
specification 10.7) tells it in its dynamic section: ``DT_NEEDED`` names libraries, ``DT_VERNEED`` the symbol
versions expected of each. The highest ``GLIBC_2.x`` is the oldest glibc with which the loader accepts the file;
``GLIBC_ABI_…`` marks features of the loader itself. What it defines for others is in its table of dynamic symbols
(chapter 4, "Symbol Table"), whose length only its section header tells.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from multifd.errors import InputError

Version = tuple[int, int]
"""A glibc version: (2, 36)."""

_FEATURES: Final[dict[str, Version]] = {"GLIBC_ABI_DT_RELR": (2, 36)}
"""Loader features and the glibc that brought them (glibc NEWS)."""
_OF_GLIBC: Final = re.compile(r"(libc|libm|libdl|librt|libpthread|libresolv|libutil|ld-linux-x86-64)\.so\.\d")
_MAGIC: Final = b"\x7fELF\x02\x01"
"""Magic, 64 bit, little-endian."""
_LOAD: Final = 1
_DYNAMIC: Final = 2
_NEEDED: Final = 1
_STRTAB: Final = 5
_VERNEED: Final = 0x6FFFFFFE
_DYNSYM: Final = 11


@dataclass(frozen=True)
class Needs:
    """What the dynamic section asks for."""

    libraries: tuple[str, ...]
    """Sonames, in the file's order."""
    versions: frozenset[str]
    """Names of symbol versions, such as ``GLIBC_2.34``."""

    @property
    def glibc(self) -> Version:
        """The oldest glibc that will do; (0, 0) if it needs no particular one."""
        return max((version for name in self.versions for version in _glibc(name)), default=(0, 0))


def read(path: Path) -> Needs:
    """Read one file; raises :class:`InputError` if it is not a 64-bit little-endian ELF file, or is cut off."""
    return _whole(path, _parse)


def functions(path: Path) -> frozenset[str]:
    """Names that a library defines for others; none for one without section headers. Raises as :func:`read` does."""
    return _whole(path, lambda data: frozenset(_defined(data)))


_T = TypeVar("_T")


def _whole(path: Path, parse: Callable[[bytes], _T]) -> _T:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise InputError(f"{path}: cannot read: {problem.strerror}") from None
    if not data.startswith(_MAGIC):
        raise InputError(f"{path}: starts with {data[:6].hex()}, expected {_MAGIC.hex()} (64-bit little-endian ELF)")
    try:
        return parse(data)
    except (struct.error, OverflowError, ValueError, IndexError):
        raise InputError(f"{path}: ELF file of {len(data)} bytes is cut off or damaged") from None


def glibc_of(path: Path) -> Version:
    """The oldest glibc for a library and for what it needs from its own folder; raises as :func:`read` does."""
    newest: Version = (0, 0)
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        needs = read(one)
        newest = max(newest, needs.glibc)
        waiting += [
            path.parent / name
            for name in needs.libraries
            if not _OF_GLIBC.fullmatch(name) and (path.parent / name).is_file()
        ]
    return newest


def _glibc(name: str) -> Iterator[Version]:
    if match := re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", name):
        yield int(match[1]), int(match[2])
    elif name in _FEATURES:
        yield _FEATURES[name]


def _parse(data: bytes) -> Needs:
    (headers,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    # p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz
    segments: list[tuple[int, ...]] = [
        struct.unpack_from("<IIQQQQ", data, headers + index * size) for index in range(count)
    ]
    loads = [(vaddr, offset, length) for kind, _, offset, vaddr, _, length in segments if kind == _LOAD]

    def at(address: int) -> int:
        return next(address - vaddr + offset for vaddr, offset, length in loads if 0 <= address - vaddr < length)

    dynamic: list[tuple[int, int]] = []
    for kind, _, offset, _, _, length in segments:
        if offset + length > len(data):
            raise ValueError("segment beyond the end")
        if kind == _DYNAMIC:
            dynamic += struct.iter_unpack("<QQ", data[offset : offset + length])
    tags = dict(dynamic)
    try:
        strings = at(tags[_STRTAB])
        versions = list(_versions(data, at(tags[_VERNEED]))) if _VERNEED in tags else []
    except (KeyError, StopIteration):
        raise ValueError("no string table") from None

    def string(offset: int) -> str:
        return data[strings + offset : data.index(b"\0", strings + offset)].decode("ascii")

    needed = tuple(string(value) for tag, value in dynamic if tag == _NEEDED)
    return Needs(needed, frozenset(string(name) for name in versions))


def _versions(data: bytes, offset: int) -> Iterator[int]:
    """Offsets of version names in the string table, of a chain of Verneed entries and their Vernaux chains."""
    following = -1
    while following:
        _, _, _, first, following = struct.unpack_from("<HHIII", data, offset)
        entry, further = offset + first, -1
        while further:
            _, _, _, name, further = struct.unpack_from("<IHHII", data, entry)
            yield name
            entry += further
        offset += following


def _defined(data: bytes) -> Iterator[str]:
    (headers,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    # sh_name, sh_type, sh_flags, sh_addr, sh_offset, sh_size, sh_link
    sections: list[tuple[int, ...]] = [
        struct.unpack_from("<IIQQQQI", data, headers + index * size) for index in range(count)
    ]
    for _, kind, _, _, offset, length, link in sections:
        if kind != _DYNSYM:
            continue
        strings = sections[link][4]
        # st_name, st_info, st_other, st_shndx, st_value, st_size
        for name, _, _, section, _, _ in struct.iter_unpack("<IBBHQQ", data[offset : offset + length]):
            if section:
                yield data[strings + name : data.index(b"\0", strings + name)].decode("ascii")
