"""A plan in parts: whole groups, alike on every host, of about the same length."""

from __future__ import annotations

from typing import Final

import pytest

from multifd.errors import InputError
from multifd.plan.expected import expected
from multifd.plan.shards import Shard, shared
from multifd.plan.whole import Plan

GROUPS: Final = {f"wire/{number}": 1.0 + number % 7 for number in range(400)}
"""Groups of several lengths."""


def loads(groups: dict[str, float], of: int) -> list[float]:
    mine = shared(groups, of)
    return [sum(groups[name] for name, shard in mine.items() if shard == number) for number in range(1, of + 1)]


def test_every_group_has_one_shard() -> None:
    mine = shared(GROUPS, 8)

    assert mine.keys() == GROUPS.keys()
    assert set(mine.values()) == set(range(1, 9))


def test_the_order_in_which_groups_are_named_does_not_matter() -> None:
    assert shared(dict(reversed(GROUPS.items())), 8) == shared(GROUPS, 8)


@pytest.mark.parametrize("of", [2, 3, 8])
def test_no_shard_takes_much_longer_than_its_share(of: int) -> None:
    assert max(loads(GROUPS, of)) <= 1.03 * sum(GROUPS.values()) / of


def test_no_shard_takes_much_longer_than_its_share_of_a_real_plan(planned: Plan) -> None:
    groups: dict[str, float] = {}
    for cell in planned.cells.values():
        groups[cell.group] = groups.get(cell.group, 0.0) + expected(cell.work)

    assert max(loads(groups, 4)) <= 1.03 * sum(groups.values()) / 4


def test_a_group_that_is_larger_than_a_share_is_alone() -> None:
    mine = shared({"hardware": 1000.0, "wire/a": 1.0, "wire/b": 2.0}, 2)

    assert mine["wire/a"] == mine["wire/b"] != mine["hardware"]


def test_no_shard_is_empty_where_there_are_as_many_groups() -> None:
    groups = {"large": 8.0} | {str(number): 0.1 for number in range(7)}

    assert sorted(shared(groups, 8).values()) == list(range(1, 9))


def test_large_groups_choose_first() -> None:
    groups = {f"a/{number}": 1.0 for number in range(100)} | {"z": 50.0}

    assert max(loads(groups, 2)) <= 1.03 * 75


def test_a_group_that_comes_leaves_most_others_where_they_were() -> None:
    before, after = shared(GROUPS, 8), shared(GROUPS | {"wire/new": 3.0}, 8)

    assert sum(before[name] != after[name] for name in GROUPS) < len(GROUPS) / 8


def test_a_shard_is_written_as_it_is_given() -> None:
    assert Shard.parse("2/8") == (2, 8)
    assert str(Shard(2, 8)) == "2/8"


@pytest.mark.parametrize("text", ["0/8", "9/8", "2", "2/", "a/b", "2/8/1", "-1/8", "1/٣", " 1/2", "1/2\n", "02/8"])
def test_what_is_no_shard_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"--shard .*: expected I/N"):
        Shard.parse(text)
