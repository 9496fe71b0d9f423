"""Shards put together: one run of what several hosts have run, as if one of them had run it all.

Pure, and the same whichever order the shards come in. Everything that follows from cells is made anew from all of them,
so a merged run differs from one that was never divided by its times and its id. Shards belong together if they say that
they are of one plan and were made with the same software; the hosts may be any, for a pool of runners has several.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from multifd.errors import InputError
from multifd.result.answers import answered
from multifd.result.claims import Seen
from multifd.result.conclusion import conclude
from multifd.result.known import findings, shipped
from multifd.result.planned import plan_digest
from multifd.result.record import NEVER_LISTED, Cell, Coverage, Finding, Peer, Reach, Results, Run, Shard, Tuples

_OPTION: Final = re.compile(r" --shard(=| )\S+")


class Part(NamedTuple):
    """A run, and what it is called where something of it is wrong: its directory."""

    where: str
    results: Results

    @property
    def shard(self) -> Shard:
        """Which shard it is; only of one that is one."""
        assert self.results.run.shard is not None
        return self.results.run.shard


class Joined(NamedTuple):
    """One run, and what it was made of."""

    results: Results
    parts: tuple[Part, ...]
    missing: tuple[int, ...] = ()
    """Numbers of the shards that are not there."""


def joined(parts: Iterable[Part]) -> tuple[Joined, ...]:
    """Every run once, shards of one plan as one, in the order in which they come.

    A shard that is missing leaves its run incomplete. Raises InputError for a run or a shard that comes twice, and for
    shards that contradict what they say of their plan.
    """
    seen: dict[str, str] = {}
    for where, results in (given := list(parts)):
        if results.run.id in seen:
            raise InputError(f"{where}: is the run {results.run.id} of {seen[results.run.id]}; expected each run once")
        seen[results.run.id] = where
    groups: dict[object, list[Part]] = {}
    for part in given:
        key = _plan(part.results.run) if part.results.run.shard is not None else (part.where, part.results.run.id)
        groups.setdefault(key, []).append(part)
    return tuple(_run(group) for same in groups.values() for group in _by_host(same))


def _plan(run: Run) -> tuple[object, ...]:
    """What shards of one run have in common."""
    assert run.shard is not None
    corpus = run.corpus.model_dump_json() if run.corpus is not None else None
    versions = tuple(sorted(run.versions.items()))
    return run.shard.plan, run.shard.of, run.profile, run.seed, run.strength, corpus, versions, run.host.get("recorded")


def _by_host(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """One run, or one of each host where hosts have each run the same shards."""
    if parts[0].results.run.shard is None or not _twice(parts):
        yield list(parts)
        return
    hosts: dict[str, list[Part]] = {}
    for part in parts:
        hosts.setdefault(json.dumps(part.results.run.host, sort_keys=True), []).append(part)
    for same in hosts.values():
        for one, other in _twice(same):
            raise InputError(
                f"{other.where}: is shard {other.shard} of plan {other.shard.plan}, as {one.where} is, of the same"
                " host; expected each shard once"
            )
        yield same


def _twice(parts: Iterable[Part]) -> list[tuple[Part, Part]]:
    """Parts that are the same shard."""
    first: dict[int, Part] = {}
    return [(first[part.shard.number], part) for part in parts if first.setdefault(part.shard.number, part) != part]


def _run(parts: list[Part]) -> Joined:
    if parts[0].results.run.shard is None:
        return Joined(parts[0].results, tuple(parts))
    parts.sort(key=lambda part: part.shard.number)
    there = {part.shard.number for part in parts}
    missing = tuple(number for number in range(1, parts[0].shard.of + 1) if number not in there)
    cells = _cells(parts, whole=not missing)
    peers = _peers(parts, cells)
    unable = tuple(dict.fromkeys(entry for part in parts for entry in part.results.unable))
    ended = not missing and all(part.results.run.complete for part in parts)
    complete = conclude(cells, ended=ended).complete
    run = _circumstances(parts, cells, missing).model_copy(update={"complete": complete})
    results = Results(
        run=run, peers=peers, unable=unable, findings=_findings(parts, cells), cells=cells,
        answers=answered(Seen(cells, peers, unable)),
    )  # fmt: skip
    return Joined(results, tuple(parts), missing)


def _cells(parts: Sequence[Part], *, whole: bool) -> tuple[Cell, ...]:
    """In the order of the plan."""
    placed: dict[int, tuple[Cell, Part]] = {}
    for part in parts:
        places, cells = part.shard.places, part.results.cells
        if len(places) != len(cells):
            raise InputError(
                f"{part.where}: run.shard.places: {len(places)} places, expected one for each of {len(cells)} cells"
            )
        for place, cell in zip(places, cells, strict=True):
            if place in placed:
                other = placed[place][1].where
                raise InputError(
                    f"{part.where}: run.shard.places: {place} is taken by a cell of {other}; expected disjoint shards"
                )
            placed[place] = cell, part
    found = tuple(placed[place][0] for place in sorted(placed))
    twice = next((name for name, times in Counter(cell.id for cell in found).items() if times > 1), None)
    if twice is not None:
        raise InputError(f"{parts[0].where}: {twice!r} is in two shards; expected disjoint shards")
    if whole and (digest := plan_digest(cell.id for cell in found)) != parts[0].shard.plan:
        raise InputError(
            f"{parts[0].where}: the digest of the cells of all shards is {digest!r}, expected"
            f" {parts[0].shard.plan!r} as run.shard.plan says"
        )
    return found


def _circumstances(parts: Sequence[Part], cells: Sequence[Cell], missing: Collection[int]) -> Run:
    """Of the first shard, but for what they have together."""
    runs = [part.results.run for part in parts]
    ends = [run.finished for run in runs]
    named = hashlib.sha256("\n".join(sorted(run.id for run in runs)).encode()).hexdigest()
    hosts = {json.dumps(run.host, sort_keys=True): run for run in reversed(runs)}
    remarks = [remark for run in runs for remark in run.remarks]
    if len(hosts) > 1:
        told = (f"shard {run.shard} on {run.host.get('cpu', 'unknown')}" for run in hosts.values())
        remarks.append(f"its shards were run on several hosts: {', '.join(sorted(told))}")
    lacking = tuple(f"{number}/{parts[0].shard.of}" for number in missing)
    if lacking:
        remarks.append(
            f"shards are missing, and what they would have run is not in these results: {', '.join(lacking)}"
        )
    return runs[0].model_copy(
        update={
            "id": named[:12],
            "started": min(run.started for run in runs),
            "finished": None if None in ends else max(filter(None, ends)),
            "command": _OPTION.sub("", runs[0].command, count=1),
            "plan": plan_digest(cell.id for cell in cells),
            "shard": None,
            "missing": lacking,
            "subset": next((run.subset for run in runs if run.subset is not None), None),
            "coverage": _coverage(parts, cells),
            "workers_lost": sum(run.workers_lost for run in runs),
            "remarks": tuple(dict.fromkeys(remarks)),
        }
    )


def _coverage(parts: Sequence[Part], cells: Iterable[Cell]) -> Coverage:
    """What they combine together; of a shard without an end nobody knows."""
    planned = dict(Counter(cell.suite for cell in cells))
    each = [(part, part.results.run.coverage.tuples) for part in parts]
    known = [(part, tuples) for part, tuples in each if tuples is not None]
    if len(known) < len(each):
        return Coverage(cells=planned)
    pairs, triples = (_reach(known, name) for name in ("pairs", "triples"))
    others = [set(tuples.never) for _, tuples in known[1:]]
    never = tuple(pair for pair in known[0][1].never if all(pair in other for other in others))
    return Coverage(cells=planned, pairs=pairs, triples=triples, never=never[:NEVER_LISTED])


def _reach(parts: Iterable[tuple[Part, Tuples]], name: str) -> Reach:
    had, feasible = 0, None
    for part, tuples in parts:
        field = f"{part.where}: run.coverage.{name}"
        reach: Reach | None = getattr(part.results.run.coverage, name)
        try:
            bits = base64.b64decode(getattr(tuples, name), validate=True)
        except (binascii.Error, ValueError):
            raise InputError(f"{field}: run.coverage.tuples.{name} is not base64") from None
        if reach is None or len(bits) != -(-reach.feasible // 8) or feasible not in (None, reach.feasible):
            raise InputError(f"{field}: expected as many feasible ones as the other shards have, and a bit for each")
        feasible = reach.feasible
        had |= int.from_bytes(bits)
    return Reach(had=had.bit_count(), feasible=feasible or 0)


def _peers(parts: Sequence[Part], cells: Iterable[Cell]) -> tuple[Peer, ...]:
    """The line-up, which all have, then whom only cells name, in the order in which they do."""
    known = {peer.name: peer for part in reversed(parts) for peer in part.results.peers}
    everywhere = set.intersection(*({peer.name for peer in part.results.peers} for part in parts))
    first = [peer.name for peer in parts[0].results.peers if peer.name in everywhere]
    named = (name for cell in cells for name in (cell.sender, cell.receiver) if name in known)
    return tuple(known[name] for name in dict.fromkeys((*first, *named, *known)))


def _findings(parts: Sequence[Part], cells: Sequence[Cell]) -> tuple[Finding, ...]:
    """Of the issues that this version knows as any run has them; others as the shards say."""
    issues = shipped()
    ours = findings(cells, issues)
    known = {issue.id for issue in issues}
    theirs: dict[str, list[Finding]] = {}
    for finding in (each for part in parts for each in part.results.findings if each.id not in known):
        theirs.setdefault(finding.id, []).append(finding)
    return (*ours, *(_together(same, cells) for same in theirs.values()))


def _together(same: Sequence[Finding], cells: Iterable[Cell]) -> Finding:
    """One finding as several shards have it."""
    names = {name for finding in same for name in finding.cells}
    return same[0].model_copy(update={"cells": tuple(cell.id for cell in cells if cell.id in names)})
