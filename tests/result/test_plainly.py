"""Regular expressions as a person reads them."""

from __future__ import annotations

import re

import pytest

from multifd.oracle import words
from multifd.oracle.words import Cause
from multifd.result.plainly import plainly


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("incorrect header check", "incorrect header check"),
        (r"multifd \d+: flags received \w+ flags expected \w+", "multifd N: flags received … flags expected …"),
        (r"channel id (2) |Read section footer failed", "channel id 2 or Read section footer failed"),
        (r"failed: (Invalid argument|Input/output error)", "failed: Invalid argument"),
        (r"literal/lengths? set", "literal/lengths set"),
        (r"QZ_FAIL \(raw\)\.", "QZ_FAIL (raw)."),
        (r"^a [^;]* b$", "a … b"),
        ("a|b|c|d", "a or b or c or the like"),
        ("a|a", "a"),
        ("", ""),
    ],
)
def test_a_pattern_becomes_words(pattern: str, words: str) -> None:
    assert plainly(pattern) == words


def _all(value: object) -> list[str]:
    """Every expression of a table of the oracle's words."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else ()
    return [each for part in parts for each in _all(part)]


def test_no_sign_of_a_pattern_is_left_of_what_any_decoder_says() -> None:
    said = [text for name in vars(words) for text in _all(vars(words)[name]) if not name.startswith("__")]

    assert len(said) > len(Cause)
    assert [text for text in map(plainly, said) if re.search(r"\\[dw]|\(\?|[+*]\)|\w\|\w", text)] == []
