"""Sizes as people give them."""

from __future__ import annotations

import re
from typing import Final

from multifd.errors import InputError

_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size(text: str) -> int:
    """Bytes from a number with K, M or G; raises :class:`InputError` for anything else."""
    match = re.fullmatch(r"(\d+)([KMG]?)", text.strip().upper())
    if match is None:
        raise InputError(f"--memory {text!r}: expected a number of bytes with K, M or G, such as 4M")
    return int(match[1]) * _UNITS[match[2]]
