"""A shard beside another run: cells of other shards are not gone, they are elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain

from multifd.result.record import Results


def narrowed(before: Results, after: Results) -> tuple[Results, Results]:
    """Both runs, without the cells that one has and the other may have in another shard, and whoever only these name.

    A run that is no shard says all of its plan, and what it does not plan is not planned.
    """
    return (
        _only(before, {cell.id for cell in after.cells}) if after.run.shard is not None else before,
        _only(after, {cell.id for cell in before.cells}) if before.run.shard is not None else after,
    )


def _only(results: Results, ids: Collection[str]) -> Results:
    """The run with these of its cells; of silicon it is told whatever its cells."""
    cells = tuple(cell for cell in results.cells if cell.id in ids)
    left, named = (
        {*chain.from_iterable((each.sender, each.receiver) for each in some)} for some in (cells, results.cells)
    )
    findings = (
        finding.model_copy(update={"cells": tuple(name for name in finding.cells if name in ids)})
        for finding in results.findings
    )
    return results.model_copy(
        update={
            "cells": cells,
            "findings": tuple(finding for finding in findings if finding.cells),
            "peers": tuple(
                peer
                for peer in results.peers
                if peer.name in left or peer.name not in named or peer.provenance == "hardware"
            ),
        }
    )
