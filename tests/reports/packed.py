"""What a page holds, unpacked as its script does it."""

from __future__ import annotations

import json
import re
import zlib
from array import array
from base64 import b64decode
from typing import Any


class Packed:
    """The facts, and the value of each column in each row."""

    def __init__(self, text: str) -> None:
        data = zlib.decompress(b64decode(text))
        length = int.from_bytes(data[:4], "little")
        self.facts: dict[str, Any] = json.loads(data[4 : 4 + length])
        self.rows: int = self.facts.pop("rows")
        self._columns: dict[str, list[Any]] = {}
        self.widths: dict[str, int] = {}
        """Bytes of a row's number, by column."""
        start = 4 + length
        for name, column in self.facts.pop("columns").items():
            width = self.widths[name] = column["width"]
            at = array({1: "B", 2: "H", 4: "I"}[width], data[start : start + self.rows * width]) if width else None
            self._columns[name] = [column["of"][k] for k in (at or range(self.rows))]
            start += -(-self.rows * width // 4) * 4
        assert start == len(data)

    def __getitem__(self, name: str) -> list[Any]:
        return self._columns[name]


def held(page: str) -> Packed:
    """What a whole page holds."""
    found = re.search(r'<script type="text/plain" id="data">([^<]*)</script>', page)
    assert found is not None
    return Packed(found[1])
