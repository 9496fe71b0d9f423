"""A run divided into shards, as if hosts had run them."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from typing import Any

from multifd.comparison.merged import Part
from multifd.result.planned import plan_digest
from multifd.result.record import Coverage, Reach, Results, Shard, Tuples

FEASIBLE = 12
"""Pairs, and triples: a bit for each is two bytes."""


def divided(whole: Results, of: int) -> list[Part]:
    """The run as shards, its cells dealt out; each has had a pair of its own and one that all have had."""
    return [Part(f"shard-{number}", shard(whole, number, of)) for number in range(1, of + 1)]


def shard(whole: Results, number: int, of: int, **changes: Any) -> Results:
    """One of them; ``changes`` are of its run."""
    places = tuple(range(number - 1, len(whole.cells), of))
    cells = tuple(whole.cells[place] for place in places)
    bits = b64encode((1 << 15 | 1 << (15 - number)).to_bytes(2)).decode()
    reach = Reach(had=2, feasible=FEASIBLE)
    never = tuple(f"pair {n}" for n in range(FEASIBLE) if n not in (0, number))
    coverage = Coverage(
        cells=dict(Counter(cell.suite for cell in cells)), pairs=reach, triples=reach,
        tuples=Tuples(pairs=bits, triples=bits, never=never),
    )  # fmt: skip
    fields = {
        "id": f"{whole.run.id}-{number}",
        "plan": plan_digest(cell.id for cell in cells),
        "shard": Shard(number=number, of=of, plan=whole.run.plan, places=places),
        "coverage": coverage,
        "command": f"{whole.run.command} --shard {number}/{of}",
    } | changes
    names = {cell.id for cell in cells}
    shown = (
        each.model_copy(update={"cells": tuple(name for name in each.cells if name in names)})
        for each in whole.findings
    )
    findings = tuple(each for each in shown if each.cells)
    run = whole.run.model_copy(update=fields)
    return whole.model_copy(update={"run": run, "cells": cells, "findings": findings})
