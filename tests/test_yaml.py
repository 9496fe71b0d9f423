"""YAML: what PyYAML lets pass, or fails at, is refused in words that name the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import InputError
from multifd.yaml import parse


def refusal(text: str) -> str:
    """Why it is refused."""
    with pytest.raises(InputError) as error:
        parse(text.encode())
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: key 'a' is there already, in line 1"),
        ("a:\n- b: 1\n  'b': 2", "line 3: key 'b' is there already, in line 2"),
        ("{a: {b: 1, b: 1}}", "line 1: key 'b' is there already, in line 1"),
        ("? {a: 1, a: 2}\n: 3", "line 1: key 'a' is there already, in line 1"),
    ],
    ids=["in-blocks", "in-a-list", "in-braces", "in-a-key"],
)
def test_a_key_that_is_there_already_is_refused(text: str, message: str) -> None:
    assert refusal(text) == f"is not YAML: {message}"


def test_a_key_may_replace_one_that_is_merged_in() -> None:
    assert parse(b"- &base {a: 1, b: 2}\n- {<<: *base, b: 3}\n- {<<: *base, a: 4}")[1:] == [
        {"a": 1, "b": 3},
        {"a": 4, "b": 2},
    ]


@pytest.mark.parametrize("level", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_what_is_nested_too_deep_is_refused(level: str) -> None:
    assert refusal(level * 3000) == "is nested too deep"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n- 2024-13-01", "line 2: '2024-13-01' is no timestamp"),
        ("!!int ''", "line 1: '' is no int"),
        ("!!int x", "line 1: 'x' is no int"),
        ("!!bool x", "line 1: 'x' is no bool"),
        ("!!timestamp x", "line 1: 'x' is no timestamp"),
        ("9" * 5000, "line 1: '999999999999...9999999999999' is no int"),
        (r'"\ud800"', r"line 1: '\ud800' is no str"),
        (r'{"\udfff": 1}', r"line 1: '\udfff' is no str"),
        ("0x" + "f" * 5000, "line 1: '0xffffffffff...fffffffffffff' is no int"),
    ],
)
def test_a_scalar_that_is_not_of_its_type_is_refused(text: str, message: str) -> None:
    assert refusal(text) == f"is not YAML: {message}"


@given(st.text("{}[]:,-?&*!<=|>'\"%@`#\n ab0.12e~", max_size=40) | st.text(max_size=40) | st.binary(max_size=40))
def test_whatever_it_is_it_is_read_or_refused(content: str | bytes) -> None:
    try:
        parse(content.encode() if isinstance(content, str) else content)
    except InputError as refused:
        assert "\n" not in str(refused)
