"""A shard of a prepared run: the same cells whoever asks, on whichever host the same is planned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from multifd.campaign.prepare import Campaign
from multifd.errors import InputError
from multifd.evidence.users import group
from multifd.plan.expected import expected
from multifd.plan.shards import Shard, shared
from multifd.result.counted import counted


def of_shard(campaign: Campaign, ids: Collection[str], shard: Shard) -> dict[str, None]:
    """Those of the planned cells ``ids`` that are the shard's, in the order of the plan.

    Cells that use devices are one group, so that they meet on one host. Raises InputError where there are fewer groups
    than shards.
    """
    cells = [cell for cell in campaign.plan.cells.values() if cell.id in ids]
    groups = {cell.id: group(cell, campaign.line_up) for cell in cells}
    costs: defaultdict[str, float] = defaultdict(float)
    for cell in cells:
        costs[groups[cell.id]] += expected(cell.work)
    if len(costs) < shard.of:
        raise InputError(
            f"--shard {shard}: what is asked for has {counted(len(costs), 'group')} of cells, each run as a whole;"
            " expected at most so many shards"
        )
    mine = shared(costs, shard.of)
    return {name: None for name in groups if mine[groups[name]] == shard.number}
