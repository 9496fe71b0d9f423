"""JSON as others write it: what Python's reader passes over, or falls over, is refused.

It lets the last of equal keys win, takes NaN and Infinity for numbers, which JSON has not (RFC 8259, sections 4 and 6),
recurses with the nesting, and refuses numbers of more than 4300 digits as any exception. Half a character, which cannot
be written (RFC 3629, section 3), it takes for one.
"""

from __future__ import annotations

import json
import reprlib
from collections import Counter
from typing import Any, NoReturn

from multifd.errors import InputError


class _Doubled(dict[str, Any]):
    """An object that has a key twice."""

    key = ""


def parse(content: bytes) -> Any:
    """What a file with this content says; raises :class:`InputError`, which has the path but not the file."""
    try:
        read = json.loads(content.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text") from None
    except RecursionError:
        raise InputError("is nested too deep") from None
    except json.JSONDecodeError as problem:
        raise InputError(f"is not JSON: {problem}") from None
    except ValueError as problem:
        raise InputError(f"is not JSON: {str(problem).partition(';')[0]}") from None
    _check(read)
    return read


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    doubled = _Doubled(made)
    doubled.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return doubled


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _check(read: Any) -> None:
    """Name the path of a key that is there twice, or of text that is none."""
    left = [("$", read)]
    while left:
        path, value = left.pop()
        if isinstance(value, str) and not _is_text(value):
            raise InputError(f"{path}: {reprlib.repr(value)} has half a character")
        if isinstance(value, _Doubled):
            raise InputError(f"{path}: key {value.key!r} is there twice")
        if isinstance(value, dict):
            for key, each in value.items():
                left += [(f"{path}: key", key), (f"{path}.{key}", each)]
        elif isinstance(value, list):
            left += [(f"{path}[{number}]", each) for number, each in enumerate(value)]


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
