"""Regular expressions as a person reads them: what an error is expected to say, without the signs of a pattern.

Predictions name errors by expressions, for numbers differ from run to run and releases word things differently. Whoever
reads a sentence wants the words: each alternative by itself, ``N`` for a number and ``…`` for anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

MOST: Final = 3
"""Alternatives that are shown."""
_NUMBER: Final = re.compile(r"\\d(?:[+*]|\{[\d,]+\})?\??")
_ANYTHING: Final = re.compile(r"(?:\\[wS]|(?<!\\)\.|(?<!\\)\[[^\]]*\])(?:[+*]|\{[\d,]+\})\??|\\[wS]")
_GROUP: Final = re.compile(r"(?<!\\)\((?:\?:)?((?:[^()|\\]|\\.)*)(?:\|(?:[^()\\]|\\.)*)?(?<!\\)\)\??")
_LOOK: Final = re.compile(r"(?<!\\)\(\?[=!<](?:[^()\\]|\\.)*\)")
_ESCAPED: Final = re.compile(r"\\(.)")
_SIGNS: Final = re.compile(r"(?<!\\)[\^$]|(?<=[\w ])\?")


def plainly(pattern: str) -> str:
    """The words of it; of many alternatives the first ones, with ``or`` between."""
    found = list(dict.fromkeys(filter(None, map(_words, _alternatives(pattern)))))
    return " or ".join(found[:MOST]) + (" or the like" if len(found) > MOST else "")


def _words(pattern: str) -> str:
    text = _LOOK.sub("", pattern)
    text = _ANYTHING.sub("…", _NUMBER.sub("N", text))
    before = None
    while text != before:
        before, text = text, _GROUP.sub(r"\1", text)
    return _ESCAPED.sub(r"\1", _SIGNS.sub("", text)).strip()


def _alternatives(pattern: str) -> Iterator[str]:
    """What stands between bars that are in no brackets."""
    start = depth = place = 0
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            place += 1
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == "|" and not depth:
            yield pattern[start:place]
            start = place + 1
        place += 1
    yield pattern[start:]
