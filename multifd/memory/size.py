"""Sizes as people give them."""

from __future__ import annotations

import re
import reprlib
from typing import Final

from multifd.errors import InputError

_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE: Final = re.compile(r"([0-9]{1,15})([KMG]?)")


def size(text: str, *, unit: int, least: int) -> int:
    """Bytes from ``--memory``: a number with K, M or G, whole ``unit``\\ s, ``least`` at least.

    Raises :class:`InputError` for anything else, with the value as it was given.
    """
    match = _SIZE.fullmatch(text.strip().upper())
    if match is None:
        raise InputError(f"--memory {reprlib.repr(text)}: expected a number of bytes with K, M or G, such as 4M")
    given = int(match[1]) * _UNITS[match[2]]
    if given % unit or given < least:
        raise InputError(f"--memory {text!r}: expected a multiple of {shown(unit)}, at least {shown(least)}")
    return given


def shown(size: int) -> str:
    """A number of bytes as somebody would give it, in the largest unit of which it is a whole number."""
    unit, each = next((unit, each) for unit, each in reversed(_UNITS.items()) if size % each == 0)
    return f"{size // each}{unit}"
