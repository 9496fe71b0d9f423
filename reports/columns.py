"""Rows as columns, as small as a page can have them: each value once, and for each row the number of its value.

What :func:`packed` makes is base64 of a zlib stream (RFC 1950) of: a little-endian 32-bit length; so many bytes of
JSON, ``{"rows": n, "columns": {name: {"of": [values], "width": w}}, **facts}``; then, for each column in that order,
n little-endian numbers of w bytes, each the place of a row's value among the values. A column of width 0 has no
numbers: row k has value k. Numbers begin at multiples of four bytes, so that a reader can take them as they lie.
"""

from __future__ import annotations

import json
import zlib
from array import array
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reports.visible import made_visible

_TYPES: Final = {1: "B", 2: "H", 4: "I"}
LEVEL: Final = 6
"""Of zlib: more is a twentieth less, for four times the time."""


def packed(rows: int, columns: Mapping[str, Iterable[Any]], facts: Mapping[str, Any]) -> str:
    """All of it in base64. Values are hashable and become JSON; equal ones are one, and text in them is visible."""
    head: dict[str, Any] = {}
    numbers = []
    for name, values in columns.items():
        places: defaultdict[Any, int] = defaultdict()
        places.default_factory = places.__len__  # a value that is new is the next
        column = array(_TYPES[4], map(places.__getitem__, values))
        width = 0 if len(places) == rows else next(w for w in _TYPES if len(places) <= 1 << 8 * w)
        head[name] = {"of": made_visible(list(places)), "width": width}
        if width:
            numbers.append(_aligned(array(_TYPES[width], column).tobytes()))
    text = json.dumps({"rows": rows, "columns": head, **made_visible(facts)}, separators=(",", ":"))
    table = _aligned(text.encode())
    return b64encode(zlib.compress(b"".join((len(table).to_bytes(4, "little"), table, *numbers)), LEVEL)).decode()


def _aligned(part: bytes) -> bytes:
    """Filled up with spaces, which JSON ignores, to a multiple of four bytes."""
    return part + b" " * (-len(part) % 4)
