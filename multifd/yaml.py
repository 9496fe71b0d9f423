"""YAML as people write it: what PyYAML passes over, or falls over, is refused.

PyYAML 6.0 lets the last of equal keys win, though they are to be unique (YAML 1.2.2, 3.2.1.1); it recurses with the
nesting; and a scalar that is not of its type, such as ``2024-13-01``, leaves its constructors as any exception.
"""

from __future__ import annotations

import reprlib
from typing import Any

from yaml import MappingNode, Node, SafeLoader, ScalarNode, YAMLError, load

from multifd.errors import InputError


def parse(content: bytes) -> Any:
    """What a file with this content says; raises :class:`InputError`, which names the line but not the file."""
    try:
        return load(content.decode(), _Strict)
    except (YAMLError, UnicodeDecodeError) as problem:
        raise InputError(f"is not YAML: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise InputError("is nested too deep") from None


class _Strict(SafeLoader):
    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                continue
            line, same = key.start_mark.line + 1, (key.tag, key.value)
            if same in lines:
                raise YAMLError(f"line {line}: key {key.value!r} is there already, in line {lines[same]}")
            lines[same] = line
        return node

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            made = super().construct_object(node, deep)
            if isinstance(made, int):
                str(made)  # Python reads hexadecimal numbers that it cannot write in a message
            elif isinstance(made, str):
                made.encode()  # nor half a character (RFC 3629, section 3)
            return made
        except (ValueError, LookupError, AttributeError):
            kind = node.tag.rpartition(":")[2]
            raise YAMLError(f"line {node.start_mark.line + 1}: {reprlib.repr(node.value)} is no {kind}") from None
