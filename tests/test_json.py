"""JSON: what Python's reader lets pass, or fails at, is refused in words that name the path."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.errors import InputError
from multifd.json import parse

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1, "a": 1}', "$: key 'a' is there twice"),
        (b'{"a": [0, {"b": {"c": 1, "c": 2}}]}', "$.a[1].b: key 'c' is there twice"),
        (b"[NaN]", "is not JSON: NaN is no number"),
        (b"[-Infinity]", "is not JSON: -Infinity is no number"),
        (b"[" * 100_000, "is nested too deep"),
        (b'{"a":' * 100_000, "is nested too deep"),
        (b"\xff", "is not UTF-8 text"),
        (rb'{"a": ["\ud800"]}', r"$.a[0]: '\ud800' has half a character"),
        (rb'{"\udfff": 1}', r"$: key: '\udfff' has half a character"),
        (b"", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
    ids=[
        "twice",
        "twice-within",
        "nan",
        "infinity",
        "nested-lists",
        "nested-objects",
        "not-text",
        "half",
        "half-a-key",
        "nothing",
    ],
)
def test_what_is_no_json_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse(content)

    assert str(error.value) == message


def test_a_number_that_python_does_not_read_is_refused() -> None:
    with pytest.raises(InputError, match="is not JSON: Exceeds the limit"):
        parse(b"9" * 50_000)


@settings(max_examples=50)
@given(_VALUES)
def test_all_else_is_read(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value


@settings(max_examples=200)
@given(st.binary())
def test_nothing_else_comes_out_of_anything(content: bytes) -> None:
    with suppress(InputError):
        parse(content)
