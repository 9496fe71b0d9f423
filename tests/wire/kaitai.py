"""As much of Kaitai Struct as docs/multifd.ksy uses: sizes of its fields, and a reader that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

SIZES: Final = {"u1": 1, "u4": 4, "u8": 8}
Spec = dict[str, Any]


def size_of(field: Spec) -> int | None:
    """Bytes of a field, of one element where it repeats; None where they depend on what was read before."""
    if "contents" in field:
        return len(field["contents"])
    if field.get("type") in SIZES:
        return SIZES[field["type"]]
    return field["size"] if isinstance(field.get("size"), int) else None


def value_of(expression: object, names: dict[str, Any]) -> Any:
    """An expression of Kaitai Struct: literals, names, arithmetic, comparison, and ``? :``."""
    text = str(expression)
    if " ? " in text:
        condition, _, rest = text.partition(" ? ")
        yes, _, no = rest.partition(" : ")
        return value_of(yes if value_of(condition, names) else no, names)
    return eval(text.replace(" / ", " // "), {"__builtins__": {}}, names)


@dataclass
class Reader:
    """Reads a stream as a description says."""

    description: Spec
    data: bytes
    root: SimpleNamespace
    """The parameters."""
    at: int = 0

    def read(self, seq: list[Spec]) -> SimpleNamespace:
        """One structure."""
        read: dict[str, Any] = {"_root": self.root}
        for field in seq:
            read[field["id"]] = self._repeated(field, read)
        return SimpleNamespace(**read)

    def _repeated(self, field: Spec, read: dict[str, Any]) -> Any:
        match field.get("repeat"):
            case "eos":
                items = []
                while self.at < len(self.data):
                    items.append(self._one(field, read))
                return items
            case "expr":
                return [self._one(field, read) for _ in range(value_of(field["repeat-expr"], read))]
            case _:
                return self._one(field, read)

    def _one(self, field: Spec, read: dict[str, Any]) -> Any:
        kind = field.get("type")
        if isinstance(kind, dict):
            cases = kind["cases"]
            kind = cases.get(value_of(kind["switch-on"], read), cases["_"])
        if kind in self.description["types"]:
            return self.read(self.description["types"][kind]["seq"])
        size = size_of(field)
        taken = self._take(value_of(field["size"], read) if size is None else size)
        if "contents" in field:
            assert taken == bytes(field["contents"]), f"{field['id']} at {self.at - len(taken)}"
        if kind in SIZES:
            return int.from_bytes(taken)
        return taken.partition(b"\0")[0].decode("latin-1") if kind == "strz" else taken

    def _take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        assert len(taken) == size, f"the stream ended at {self.at}"
        self.at += size
        return taken
