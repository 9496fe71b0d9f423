"""What cannot be started three times in a row is not tried again."""

from __future__ import annotations

import pytest

from multifd.errors import EnvironmentBroke
from multifd.process.tries import Tries


def said(tries: Tries, *, there: bool = False) -> str:
    """What an attempt says; ``""`` where it starts."""
    try:
        with tries.attempt():
            if not there:
                raise EnvironmentBroke("no such file")
    except EnvironmentBroke as problem:
        return str(problem)
    return ""


def test_after_the_third_time_nobody_looks_whether_it_is_there() -> None:
    tries = Tries("library qpl")

    assert [said(tries, there=number > 2) for number in range(5)] == [
        *["no such file"] * 3,
        *["library qpl is not tried again: 3 times in a row it could not be started, at last: no such file"] * 2,
    ]


def test_one_that_starts_begins_the_row_anew() -> None:
    tries = Tries("library qpl")

    assert [said(tries, there=there) for there in (False, False, True, False, False, True)] == [
        *["no such file"] * 2, "", *["no such file"] * 2, "",
    ]  # fmt: skip


def test_what_ends_otherwise_says_nothing_of_it() -> None:
    tries = Tries("library qpl")
    tries.ended("one")
    tries.ended("two")

    with pytest.raises(KeyError), tries.attempt():
        raise KeyError
    tries.ended("three")

    assert said(tries, there=True).endswith("at last: three")
