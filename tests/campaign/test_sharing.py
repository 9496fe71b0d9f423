"""Shards of a prepared run: they are disjoint, together the whole, and cells that use devices meet in one."""

from __future__ import annotations

from typing import Final

import pytest

from multifd.campaign.circumstances import begun, part_of
from multifd.campaign.options import Options
from multifd.campaign.prepare import Campaign
from multifd.campaign.sharing import of_shard
from multifd.errors import InputError
from multifd.lineup.peers import LineUp
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.shards import Shard
from multifd.plan.whole import Plan
from multifd.plan.work import Check
from multifd.profile.model import Deadlines
from multifd.result.circumstances import Subset
from multifd.result.planned import plan_digest

NAMES: Final = tuple(f"check-{number}" for number in range(20))


@pytest.fixture
def campaign() -> Campaign:
    """Twenty cells, each a group of its own."""
    promise = Prediction("identical", "none", "", None, ())
    made = [
        PlannedCell(suite="vendor", work=Check(library="qpl", framing="raw-page", name=name), prediction=promise)
        for name in NAMES
    ]
    nobody = LineUp(profile="none", peers=(), deadlines=Deadlines())
    plan = Plan(cells={cell.id: cell for cell in made}, unable=())
    return Campaign(options=Options(), line_up=nobody, plan=plan, libraries={})


def test_shards_are_disjoint_and_together_the_whole(campaign: Campaign) -> None:
    ids = set(campaign.plan.cells)

    parts = [list(of_shard(campaign, ids, Shard(number, 3))) for number in (1, 2, 3)]

    assert sorted(name for part in parts for name in part) == sorted(ids)
    assert all(part == [name for name in campaign.plan.cells if name in part] for part in parts)


def test_what_was_not_asked_for_is_in_no_shard(campaign: Campaign) -> None:
    asked = list(campaign.plan.cells)[:6]

    parts = [of_shard(campaign, asked, Shard(number, 2)) for number in (1, 2)]

    assert sorted(name for part in parts for name in part) == sorted(asked)


def test_more_shards_than_groups_are_refused(campaign: Campaign) -> None:
    with pytest.raises(InputError, match=r"--shard 1/21: what is asked for has 20 groups of cells"):
        of_shard(campaign, campaign.plan.cells, Shard(1, 21))


@pytest.mark.parametrize(("suite", "said"), [("qemu", True), ("probe", False)])
def test_what_is_left_out_of_the_real_qemus_cells_is_said_where_there_are_any(
    suite: str, said: bool, campaign: Campaign
) -> None:
    subset = Subset(cells=1, of=9)
    cells = {name: cell.model_copy(update={"suite": suite}) for name, cell in campaign.plan.cells.items()}
    made = campaign.model_copy(update={"plan": campaign.plan.model_copy(update={"subset": subset, "cells": cells})})

    assert made.subset == begun(made, "pytest").subset == (subset if said else None)


def test_a_run_says_which_part_of_which_plan_it_is(campaign: Campaign) -> None:
    shard = Shard(2, 3)
    part = campaign.part(of_shard(campaign, campaign.plan.cells, shard))

    run = begun(part, "pytest", part_of(shard, campaign.plan.cells, part))

    assert run.shard is not None
    assert (run.shard.number, run.shard.of) == shard
    assert run.shard.plan == plan_digest(campaign.plan.cells)
    assert run.plan == plan_digest(part.plan.cells)
    whole = list(campaign.plan.cells)
    assert [whole[place] for place in run.shard.places] == list(part.plan.cells)
